// For every folder a handshake of Go's own client with a server in this process.
package main

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// blocks reads every PEM block of a file.
func blocks(path string) [][]byte {
	text, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	var found [][]byte
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		found = append(found, block.Bytes)
	}
	return found
}

// ask answers `yes`, `no WHY` where the client refuses, or `- WHY` where the server cannot be shown to it.
func ask(folder string) string {
	key, err := x509.ParsePKCS8PrivateKey(blocks(filepath.Join(folder, "key.pem"))[0])
	if err != nil {
		return "- " + err.Error()
	}
	if _, ok := key.(crypto.Signer); !ok {
		return "- the key does not sign"
	}
	// The server's certificate is not parsed: that is the client's to do.
	serving := tls.Certificate{Certificate: blocks(filepath.Join(folder, "chain.pem")), PrivateKey: key}
	roots := x509.NewCertPool()
	root, err := x509.ParseCertificate(blocks(filepath.Join(folder, "root.pem"))[0])
	if err != nil {
		return "no root: " + err.Error()
	}
	roots.AddCert(root)
	host, err := os.ReadFile(filepath.Join(folder, "host"))
	if err != nil {
		panic(err)
	}

	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	ours.SetDeadline(time.Now().Add(20 * time.Second))
	theirs.SetDeadline(time.Now().Add(20 * time.Second))
	go tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{serving}}).Handshake()
	err = tls.Client(ours, &tls.Config{RootCAs: roots, ServerName: string(host)}).Handshake()
	if err != nil {
		return "no " + err.Error()
	}
	return "yes"
}

func main() {
	folders, err := filepath.Glob("[0-9]*")
	if err != nil {
		panic(err)
	}
	sort.Strings(folders)
	for _, folder := range folders {
		fmt.Println(folder, strings.ReplaceAll(ask(folder), "\n", " "))
	}
}
