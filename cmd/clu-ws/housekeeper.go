package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/clu-ws/clu-ws/bridge/audit"
	"github.com/clu-ws/clu-ws/bridge/listen"
)

const (
	// certificateInterval is how often the certificate's files are checked for changes.
	certificateInterval = 2 * time.Second
	// configInterval is how often the file of --config is. A file that has changed is read at
	// the second look, so that rights are taken away within a second.
	configInterval = 250 * time.Millisecond
)

// housekeeper reloads the certificate and the file of --config when they change or on SIGHUP,
// reopens the audit log on SIGHUP, and keeps the service manager's watchdog from firing.
type housekeeper struct {
	manager     *listen.Manager     // nil: the program is not a service
	certificate *listen.Certificate // nil: no TLS
	config      *reloader           // nil: no file
	audit       *audit.Log          // nil: nothing is recorded
	log         *slog.Logger
}

// start starts the housekeeper, which runs until it is stopped, even after the context has
// ended: systemd's watchdog is active while the bridge drains.
func (h *housekeeper) start(ctx context.Context) (stop func()) {
	hangup := make(chan os.Signal, 1)
	if h.manager != nil || h.reloads() {
		// Otherwise SIGHUP ends the program, as it should when its terminal closes.
		// It is caught before the program reports that it is ready.
		signal.Notify(hangup, syscall.SIGHUP)
	}
	end := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() { h.run(ctx.Done(), hangup, end) })
	return func() {
		close(end)
		running.Wait()
		signal.Stop(hangup)
		h.manager.Close()
	}
}

// reloads reports whether there is anything to reload.
func (h *housekeeper) reloads() bool {
	return h.certificate != nil || h.config != nil || h.audit != nil
}

func (h *housekeeper) run(stopping <-chan struct{}, hangup <-chan os.Signal, end <-chan struct{}) {
	check, stopChecking := tickerIf(h.certificate != nil, certificateInterval)
	defer stopChecking()
	look, stopLooking := tickerIf(h.config != nil, configInterval)
	defer stopLooking()
	watchdog, stopWatchdog := tickerIf(h.manager.WatchdogInterval() > 0, h.manager.WatchdogInterval())
	defer stopWatchdog()
	for {
		select {
		case <-check:
			h.refresh()
		case <-look:
			h.config.refresh()
		case <-hangup:
			h.reload()
		case <-watchdog:
			h.manager.Alive()
		case <-stopping:
			h.manager.Stopping()
			stopping = nil
		case <-end:
			select {
			case <-stopping: // a bridge without clients ends at once
				h.manager.Stopping()
			default:
			}
			return
		}
	}
}

// tickerIf returns a ticker's channel, or one that never receives.
func tickerIf(wanted bool, interval time.Duration) (ticks <-chan time.Time, stop func()) {
	if !wanted {
		return nil, func() {}
	}
	t := time.NewTicker(interval)
	return t.C, t.Stop
}

// refresh reloads the certificate if its files have changed.
func (h *housekeeper) refresh() {
	if changed, err := h.certificate.Refresh(); changed {
		h.logReload(err)
	}
}

// reload answers SIGHUP.
func (h *housekeeper) reload() {
	h.manager.Reloading()
	defer h.manager.Reloaded()
	if !h.reloads() {
		h.log.Info("SIGHUP: there is nothing to reload without --config, --tls-cert or --audit")
		return
	}
	if err := h.audit.Reopen(); err != nil {
		h.log.Error("the audit log stays in the file that is open", "error", err)
	} else if h.audit != nil {
		h.log.Info("the audit log was reopened")
	}
	if h.config != nil {
		h.config.reload()
	}
	if h.certificate != nil {
		h.logReload(h.certificate.Reload())
	}
}

func (h *housekeeper) logReload(err error) {
	if err != nil {
		h.log.Error("the certificate cannot be reloaded; the old one stays in use", "error", err, "certificate", h.certificate)
		return
	}
	h.log.Info("the certificate was reloaded; new clients see it", "certificate", h.certificate)
	logIfExpired(h.certificate, h.log)
}
