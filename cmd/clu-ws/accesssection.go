package main

import (
	"errors"
	"time"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/audit"
	"github.com/clu-ws/clu-ws/internal/configfile"
)

// accessOptions are what the section access needs of its surroundings.
func (s *service) accessOptions() access.Options {
	return access.Options{Secret: readSecretFile, Logger: s.log}
}

// readSecretFile reads a file with a secret that the section access names.
func readSecretFile(path string) ([]byte, error) {
	if named, err := configfile.SecretFile(path, "."); err != nil || named != "" {
		if err != nil {
			return nil, err
		}
		path = named
	}
	return configfile.ReadSecret(path)
}

// openAccess makes the authority of the section access, if there is one.
func (s *service) openAccess() (err error) {
	if s.access == nil {
		return nil
	}
	if s.bridge.Access, err = access.New(*s.access, s.accessOptions()); err != nil {
		return s.file.place(err)
	}
	return s.setClientCAs()
}

// setClientCAs lets the listeners ask for clients' certificates, if the section access does.
func (s *settings) setClientCAs() error {
	if err := s.checkClientCAs(); err != nil || s.access == nil || s.listeners.certificate == nil {
		return err
	}
	return s.placeClientCAs(s.listeners.certificate.SetClientCAs(s.access.ClientsCA))
}

// checkClientCAs returns an error if clients cannot show certificates.
func (s *settings) checkClientCAs() error {
	if s.access == nil || s.access.ClientsCA == "" || s.listeners.tls {
		return nil
	}
	return s.placeClientCAs(errors.New("clients show certificates only over TLS; add tls-cert and tls-key"))
}

// placeClientCAs adds the place to an error about the authorities of clients' certificates.
func (s *settings) placeClientCAs(err error) error {
	if err == nil {
		return nil
	}
	return s.file.At("access.clients-ca", err)
}

// openAudit opens the audit log, if there is one.
func (s *service) openAudit() (err error) {
	if s.audit.target == "" {
		return nil
	}
	s.bridge.Audit, err = audit.Open(audit.Config{Target: s.audit.target, Required: s.audit.required, Stdout: s.stdout, Logger: s.log})
	return s.file.place(flagError("audit", err))
}

// auditGrace is how long the end of the audit log may take to be written.
const auditGrace = time.Second

func (s *service) closeAudit() {
	if err := s.bridge.Audit.Close(auditGrace); err != nil {
		s.log.Error("the audit log is not closed", "error", err)
	}
}
