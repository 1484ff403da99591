package boxtest

import (
	"crypto/tls"
	"errors"
	"net/http"
	"time"

	"icebox/natlab"
)

// HTTPS is a client on a host that takes every certificate and keeps no
// connections. It waits two seconds for an answer.
func HTTPS(host *natlab.Host) *http.Client {
	return &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{
		DialContext:       host.Dial,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		DisableKeepAlives: true,
	}}
}

// Healthy asks for /healthz of the box at this URL, and gives an error where that
// is not 200.
func Healthy(client *http.Client, url string) error {
	answer, err := client.Get(url + "/healthz")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}
