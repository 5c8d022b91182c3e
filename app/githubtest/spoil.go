package githubtest

import (
	"net/http"
	"strconv"
)

// spoil gives a client what a fault says in place of the proper answer. It returns false
// when the proper answer is still to be given. real is nil before acting.
func (g *GitHub) spoil(w http.ResponseWriter, q *request, f *Fault, real *reply) bool {
	switch f.Kind {
	case Delay:
		pause(q.Request, f.Delay, f.healed)
		return false
	case Nothing:
		g.record(q, 0, f)
		panic(http.ErrAbortHandler) // net/http closes the connection and logs nothing
	case CutBody:
		if real == nil {
			return false // there is no answer to cut before acting; it is cut afterwards
		}
		g.record(q, real.status, f)
		g.setHeaders(w.Header(), q, *real)
		cut(w, real.status, real.bytes())
	case HTML:
		status := f.Status
		if status == 0 {
			status = http.StatusBadGateway
		}
		g.record(q, status, f)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		writeString(w, "<!DOCTYPE html>\n<html><head><title>Unicorn!</title></head><body><h1>We had issues producing the response to your request.</h1></body></html>\n")
	default:
		g.spoilStatus(w, q, f)
	}
	return true
}

func (g *GitHub) spoilStatus(w http.ResponseWriter, q *request, f *Fault) {
	status := f.Status
	if status == 0 {
		status = http.StatusInternalServerError
	}
	g.record(q, status, f)
	for name, values := range f.Header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	if f.Body != "" {
		w.WriteHeader(status)
		writeString(w, f.Body)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	writeString(w, string(mustJSON(object{"message": http.StatusText(status), "documentation_url": docs})))
}

// cut announces a body in full, sends half and closes the connection.
func cut(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	writeString(w, string(body[:len(body)/2]))
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	panic(http.ErrAbortHandler)
}

// writeString sends text to a client that may be gone, which is its own affair.
func writeString(w http.ResponseWriter, text string) {
	_, _ = w.Write([]byte(text))
}
