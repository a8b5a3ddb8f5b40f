package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/clu-ws/clu-ws/bridge/listen"
)

// certificateInterval is how often the certificate's files are checked for changes.
const certificateInterval = 2 * time.Second

// housekeeper reloads the certificate when it changes or on SIGHUP, and keeps the
// service manager's watchdog from firing.
type housekeeper struct {
	manager     *listen.Manager     // nil: the program is not a service
	certificate *listen.Certificate // nil: no TLS
	log         *slog.Logger
}

// startHousekeeper starts a housekeeper, which runs until it is stopped, even after the
// context has ended: systemd's watchdog is active while the bridge drains.
func startHousekeeper(ctx context.Context, manager *listen.Manager, certificate *listen.Certificate, log *slog.Logger) (stop func()) {
	h := housekeeper{manager, certificate, log}
	hangup := make(chan os.Signal, 1)
	if certificate != nil || manager != nil {
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
		manager.Close()
	}
}

func (h *housekeeper) run(stopping <-chan struct{}, hangup <-chan os.Signal, end <-chan struct{}) {
	check, stopChecking := tickerIf(h.certificate != nil, certificateInterval)
	defer stopChecking()
	watchdog, stopWatchdog := tickerIf(h.manager.WatchdogInterval() > 0, h.manager.WatchdogInterval())
	defer stopWatchdog()
	for {
		select {
		case <-check:
			h.refresh()
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
	if h.certificate == nil {
		h.log.Info("SIGHUP: there is nothing to reload without --tls-cert")
		return
	}
	h.logReload(h.certificate.Reload())
}

func (h *housekeeper) logReload(err error) {
	if err != nil {
		h.log.Error("the certificate cannot be reloaded; the old one stays in use", "error", err, "certificate", h.certificate)
		return
	}
	h.log.Info("the certificate was reloaded; new clients see it", "certificate", h.certificate)
	logIfExpired(h.certificate, h.log)
}
