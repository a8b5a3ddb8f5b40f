package redislink

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
)

// errSilent ends a connection on which nothing comes.
var errSilent = errors.New("the server does not answer")

// errClosed ends a connection that the server has closed.
var errClosed = errors.New("the server closed the connection")

// isServerError reports whether Redis has answered with an error.
func isServerError(err error) bool {
	var said serverError
	return errors.As(err, &said)
}

// advisedError is an error and how to mend it.
type advisedError struct {
	problem, advice string
}

func (e *advisedError) Error() string { return e.problem + "; " + e.advice }

// Advice returns an error of a link in two parts: what is wrong, and how to mend it, which is "" if that
// is not known.
func Advice(err error) (problem, advice string) {
	if advised := (*advisedError)(nil); errors.As(err, &advised) {
		return strings.TrimSuffix(err.Error(), "; "+advised.advice), advised.advice
	}
	return err.Error(), ""
}

// advice is how to mend what an error of Redis begins with.
var advice = []struct{ begins, advice string }{
	{"NOAUTH", "write the password in the URL, as in redis://:password@host or redis://user:password@host"},
	{"WRONGPASS", "correct the user and the password in the URL"},
	{"ERR invalid password", "correct the password in the URL"},
	{"ERR AUTH", "take the password out of the URL, or set one at Redis"},
	{"NOPERM", "give the user the rights at Redis, as in ACL SETUSER name +subscribe +psubscribe +ping &channel, a pattern as it is subscribed"},
	{"DENIED", "set a password at Redis, or protected-mode no"},
	{"ERR max number of clients", "raise maxclients at Redis, or see which clients it has"},
}

// explain returns an error for the log, with how to mend it. It names no port of this side, so that two
// of a kind are alike. An error that is explained stays as it is.
func explain(err error) error {
	var said serverError
	var record tls.RecordHeaderError
	var op *net.OpError
	var certificate *tls.CertificateVerificationError
	var explained *advisedError
	switch {
	case errors.As(err, &explained), errors.Is(err, errSilent), errors.Is(err, errClosed):
		return err
	case errors.As(err, &said):
		text, _, _ := strings.Cut(err.Error(), ". ") // protected mode has a page of text
		text = strings.ToValidUTF8(fmt.Sprintf("%.300s", strings.TrimSuffix(text, ".")), "?")
		for _, a := range advice {
			if strings.HasPrefix(string(said), a.begins) {
				return &advisedError{text, a.advice}
			}
		}
		return errors.New(text)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return errClosed
	case errors.As(err, &record):
		return &advisedError{"the server does not speak TLS at this port", "write redis:// in place of rediss://, or its port for TLS"}
	case errors.As(err, &certificate):
		return &advisedError{err.Error(), adviceFor(certificate.Err)}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errSilent
	case errors.As(err, &op) && op.Op == "remote error": // of TLS
		return &advisedError{"the server refuses the bridge: " + op.Err.Error(), adviceRefused}
	case errors.As(err, &op) && op.Op != "dial":
		return op.Err
	case errors.Is(err, syscall.ECONNREFUSED):
		return &advisedError{err.Error(), "start Redis, or correct the URL"}
	}
	return err
}

// adviceRefused is how to mend that a server does not take the bridge by TLS. Why it does not may get lost.
const adviceRefused = "if the server wants a certificate, give the bridge one; the server's log says more"

// adviceFor returns how to mend what is wrong with a certificate.
func adviceFor(err error) string {
	var name x509.HostnameError
	var authority x509.UnknownAuthorityError
	switch {
	case errors.As(err, &name):
		return "write a name that the server's certificate has into the URL"
	case errors.As(err, &authority):
		return "give the bridge the authority of the server's certificate"
	}
	return "renew the server's certificate, or see whether the clock is right"
}
