package main

import (
	"fmt"
	"regexp"
	"strings"
)

// hostForm is a host, perhaps with a port.
var hostForm = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]{1,5})?$`)

// setHosts reads the hosts of container registries, or off.
func setHosts(target *[]string, v string) error {
	*target = nil
	if v == "off" {
		return nil
	}
	for host := range strings.SplitSeq(v, ",") {
		host = strings.TrimSpace(host)
		if !hostForm.MatchString(host) {
			return fmt.Errorf("has %q, which is no host", host)
		}
		*target = append(*target, host)
	}
	return nil
}

// setNPM reads the address of an npm registry; empty asks none.
func setNPM(target *string, v string) error {
	*target = ""
	if v == "" {
		return nil
	}
	if err := setURL(target, v); err != nil {
		return err
	}
	*target = strings.TrimSuffix(*target, "/")
	return nil
}
