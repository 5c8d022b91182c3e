package summary

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
)

// Envelope is a DSSE envelope (https://github.com/secure-systems-lab/dsse, protocol.md).
type Envelope struct {
	PayloadType string      `json:"payloadType"`
	Payload     string      `json:"payload"` // base64
	Signatures  []Signature `json:"signatures"`
}

// Signature is one signature over PAE of the payload.
type Signature struct {
	KeyID string `json:"keyid"` // pubkey.KeyID of the key
	Sig   string `json:"sig"`   // base64
}

// PAE is what is signed of a payload: DSSE's pre-authentication encoding.
func PAE(payloadType string, payload []byte) []byte {
	var b bytes.Buffer
	b.WriteString("DSSEv1 " + strconv.Itoa(len(payloadType)) + " " + payloadType + " " + strconv.Itoa(len(payload)) + " ")
	b.Write(payload)
	return b.Bytes()
}

// Sign returns the envelope of a summary in one line, with the signature that sign makes.
func Sign(s Statement, keyID string, sign func(message []byte) ([]byte, error)) ([]byte, error) {
	text, err := s.Text()
	if err != nil {
		return nil, err
	}
	signature, err := sign(PAE(PayloadType, text))
	if err != nil {
		return nil, fmt.Errorf("signing a summary: %w", err)
	}
	line, err := json.Marshal(Envelope{
		PayloadType: PayloadType, Payload: base64.StdEncoding.EncodeToString(text),
		Signatures: []Signature{{KeyID: keyID, Sig: base64.StdEncoding.EncodeToString(signature)}},
	})
	if err != nil {
		return nil, fmt.Errorf("writing an envelope: %w", err)
	}
	return line, nil
}
