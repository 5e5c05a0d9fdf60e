// Judges each chain with Go's crypto/x509 for TLS servers; an answer a line: "accepted" or "refused: WHY".
//
// Arguments: LEAF INTERMEDIATES ROOTS HOST for each; INTERMEDIATES may be "".
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
)

// load reads the certificates of a file; "" has none.
func load(path string) ([]*x509.Certificate, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	var found []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		found = append(found, certificate)
	}
	return found, nil
}

func judge(leaf, intermediates, roots, host string) error {
	options := x509.VerifyOptions{
		DNSName:       host,
		Roots:         x509.NewCertPool(),
		Intermediates: x509.NewCertPool(),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for path, pool := range map[string]*x509.CertPool{intermediates: options.Intermediates, roots: options.Roots} {
		found, err := load(path)
		if err != nil {
			return err
		}
		for _, certificate := range found {
			pool.AddCert(certificate)
		}
	}
	chain, err := load(leaf)
	if err != nil {
		return err
	}
	_, err = chain[0].Verify(options)
	return err
}

func main() {
	for at := 1; at+3 < len(os.Args); at += 4 {
		if err := judge(os.Args[at], os.Args[at+1], os.Args[at+2], os.Args[at+3]); err != nil {
			fmt.Println("refused:", strings.Join(strings.Fields(err.Error()), " "))
		} else {
			fmt.Println("accepted")
		}
	}
}
