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

// certificateInterval is how often the certificate's files are looked at.
const certificateInterval = 2 * time.Second

// housekeeper does what is asked of the program while it serves: it reads the
// certificate again, and gives the service manager its signs of life.
type housekeeper struct {
	manager     *listen.Manager
	certificate *listen.Certificate
	log         *slog.Logger
}

// startHousekeeper starts an attendant, which goes on until it is stopped: systemd looks
// for signs of life while the bridge says goodbye, too.
func startHousekeeper(ctx context.Context, manager *listen.Manager, certificate *listen.Certificate, log *slog.Logger) (stop func()) {
	a := housekeeper{manager, certificate, log}
	hangup := make(chan os.Signal, 1)
	if certificate != nil || manager != nil {
		// Else it ends the program, as when its terminal is closed. It is caught
		// before anybody hears that the program is ready.
		signal.Notify(hangup, syscall.SIGHUP)
	}
	end := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() { a.run(ctx.Done(), hangup, end) })
	return func() {
		close(end)
		running.Wait()
		signal.Stop(hangup)
		manager.Close()
	}
}

func (a *housekeeper) run(stopping <-chan struct{}, hangup <-chan os.Signal, end <-chan struct{}) {
	look, stopLooking := tickerIf(certificateInterval, a.certificate != nil)
	defer stopLooking()
	watchdog, stopWatching := tickerIf(a.manager.WatchdogInterval(), a.manager.WatchdogInterval() > 0)
	defer stopWatching()
	for {
		select {
		case <-look:
			a.refresh()
		case <-hangup:
			a.reload()
		case <-watchdog:
			a.manager.Alive()
		case <-stopping:
			a.manager.Stopping()
			stopping = nil
		case <-end:
			select {
			case <-stopping: // both at once, for a bridge without clients
				a.manager.Stopping()
			default:
			}
			return
		}
	}
}

// tickerIf ticks if it is wanted.
func tickerIf(d time.Duration, wanted bool) (ticks <-chan time.Time, stop func()) {
	if !wanted {
		return nil, func() {}
	}
	t := time.NewTicker(d)
	return t.C, t.Stop
}

// refresh reads the certificate if its files have changed.
func (a *housekeeper) refresh() {
	if changed, err := a.certificate.Refresh(); changed {
		a.report(err)
	}
}

// reload reads everything that can be read again.
func (a *housekeeper) reload() {
	a.manager.Reloading()
	defer a.manager.Reloaded()
	if a.certificate == nil {
		a.log.Info("SIGHUP: there is nothing to read again without --tls-cert")
		return
	}
	a.report(a.certificate.Reload())
}

func (a *housekeeper) report(err error) {
	if err != nil {
		a.log.Error("the certificate cannot be read again; the old one goes on", "error", err, "certificate", a.certificate)
		return
	}
	a.log.Info("the certificate was read again; new clients see it", "certificate", a.certificate)
	if a.certificate.Expired() {
		a.log.Warn("browsers refuse this certificate: it has expired", "certificate", a.certificate)
	}
}
