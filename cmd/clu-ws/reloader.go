package main

import (
	"context"
	"log/slog"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/audit"
	"github.com/clu-ws/clu-ws/internal/configfile"
	"github.com/clu-ws/clu-ws/internal/filewatch"
)

// reloader applies the file of --config to a running bridge, when it has changed and on SIGHUP.
// It belongs to the goroutine of the housekeeper.
type reloader struct {
	current settings
	read    func() (*settings, error) // reads everything again
	level   *slog.LevelVar
	bridge  *bridge.Bridge
	audit   *audit.Log // nil if nothing is recorded
	log     *slog.Logger
	watch   filewatch.Watch
}

// newReloader returns the reloader of a service; nil without a file.
func (s *service) newReloader(ctx context.Context, b *bridge.Bridge) *reloader {
	if s.file == nil {
		return nil
	}
	r := &reloader{
		current: s.settings,
		read:    func() (*settings, error) { return reread(ctx, s.args, s.readers...) },
		level:   &s.logLevel, bridge: b, audit: s.bridge.Audit, log: s.log,
	}
	r.watch.Use(s.watched()...)
	return r
}

// watched returns the files whose change the bridge must notice: that of --config, and those
// with secrets that its section access names, and those with boards of its section site.
func (s *settings) watched() []string {
	files := append([]string{s.file.Path}, s.accessSecrets()...)
	if s.file.Site != nil && s.file.Site.Boards.Dir != "" {
		files = append(append(files, s.file.Site.Boards.Dir), s.file.Site.Boards.Files...)
	}
	return files
}

// accessSecrets returns the files with secrets that the section access names. That of signed URLs
// is watched by the authority, too.
func (s *settings) accessSecrets() (files []string) {
	if s.access == nil {
		return nil
	}
	if s.access.Signed != nil && s.access.Signed.Secrets != "" {
		files = append(files, s.access.Signed.Secrets)
	}
	for _, jwt := range s.access.JWT {
		files = append(files, secretFileOf(jwt.Secret)...)
	}
	if s.access.Callback != nil {
		files = append(files, secretFileOf(s.access.Callback.Secret)...)
	}
	return files
}

// dialectSecrets returns the files with secrets that the section dialects names. They are not watched:
// the dialects themselves read them again, or at the next start.
func (s *settings) dialectSecrets() (files []string) {
	if s.file == nil {
		return nil
	}
	for _, d := range s.file.Dialects {
		if d.Reddit != nil && d.Reddit.Secrets != "" {
			files = append(append(files, d.Reddit.Secrets), secretFileOf(d.Reddit.AdminToken)...)
		}
	}
	return files
}

// secretFileOf returns the file that a secret is in, if it is in one.
func secretFileOf(value string) []string {
	if path, err := configfile.SecretFile(value, "."); err == nil && path != "" {
		return []string{path}
	}
	return nil
}

// refresh reloads if a file has changed.
func (r *reloader) refresh() {
	if r.watch.Changed() {
		r.reload()
	}
}

// reload reads the file and applies what can be applied. If it cannot be used, nothing changes.
func (r *reloader) reload() {
	r.watch.Use(r.current.watched()...) // before reading, so that a change meanwhile is noticed
	later, err := r.read()
	if err == nil {
		err = r.apply(later)
	}
	if err != nil {
		r.watchAlso(later)
		r.log.Error("the configuration cannot be used; nothing has changed", "error", err)
		r.audit.Reloaded(audit.Reloaded{Error: err.Error()})
		return
	}
	changed, kept := r.current.difference(later)
	r.log.Info("the configuration was reloaded", "changed", changed)
	if len(kept) > 0 {
		r.log.Warn("some settings that have changed take effect at the next start", "settings", kept)
	}
	r.audit.Reloaded(audit.Reloaded{Changed: changed, Kept: kept})
	warnOfExposed(later.secrets, r.log)
	r.current.adopt(later)
	r.watch.Retarget(r.current.watched()...)
}

// watchAlso watches the files with secrets that a configuration names which cannot be used: one of
// them may be what is missing.
func (r *reloader) watchAlso(later *settings) {
	if later != nil && later.file != nil {
		r.watch.Retarget(append(r.current.watched(), later.watched()...)...)
	}
}

// apply applies the settings that a running bridge can change. Access control begins and ends
// only at a start: a file whose section was lost must not open the bridge to everyone.
func (r *reloader) apply(later *settings) error {
	change := bridge.Reload{
		Access: r.current.access, Origins: later.bridge.Origins, TrustedProxies: later.bridge.TrustedProxies,
		LogCommands: later.bridge.LogCommands, Drain: later.bridge.Drain, Site: later.bridge.Site,
	}
	restore := func() {}
	if change.Access != nil && later.access != nil {
		change.Access = later.access
		var err error
		if restore, err = r.applyClientCAs(later); err != nil {
			return err
		}
	}
	if err := r.bridge.Reload(change); err != nil {
		restore()
		return later.file.place(err)
	}
	r.level.Set(later.level)
	return nil
}

// applyClientCAs applies another file of authorities of clients' certificates.
func (r *reloader) applyClientCAs(later *settings) (restore func(), err error) {
	before, now := r.current.access.ClientsCA, later.access.ClientsCA
	certificate := r.current.listeners.certificate
	if now == before {
		return func() {}, nil
	}
	if certificate == nil {
		return func() {}, later.checkClientCAs()
	}
	return func() { _ = certificate.SetClientCAs(before) }, later.placeClientCAs(certificate.SetClientCAs(now))
}

// adopt takes over what a running bridge has changed.
func (s *settings) adopt(later *settings) {
	dialects := s.file.Dialects // they begin and end with the bridge
	s.file = later.file
	s.file.Dialects = dialects
	if s.access != nil && later.access != nil {
		s.access = later.access
	}
	for i := range s.flags {
		if liveFlags[s.flags[i].name] {
			s.flags[i] = later.flags[i]
		}
	}
}
