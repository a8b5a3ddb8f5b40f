package bench

import (
	"context"
	"fmt"
	"time"
)

// commands measures how many commands a second reach an actor: through the bridge, from a bare publisher, and through
// CLU's own server.
func (b *bench) commands(ctx context.Context) ([]Row, error) {
	s := b.size
	server, err := b.serverAt(ctx, b.rabbitURL, "--message-rate", "1000000")
	if err != nil {
		return nil, err
	}
	defer server.stop()
	bridge, err := b.clientsPath(ctx, "the bridge", server.addr.String(), exchange)
	if err != nil {
		return nil, err
	}
	defer bridge.close()
	bare, err := b.confirmerPath()
	if err != nil {
		return nil, err
	}
	defer bare.close()
	var with, without []float64
	// The first round of each warms up, and does not count.
	if err := alternate(1+s.Rounds, b.commandRound(ctx, bare, s.Commands, &without), b.commandRound(ctx, bridge, s.Commands, &with)); err != nil {
		return nil, err
	}
	if err := bridge.awaitQuiet(ctx); err != nil {
		return nil, err
	}
	what := fmt.Sprintf("commands, %d clients", s.Commanders)
	rows := []Row{row("commands", what, "/s", with[1:], "bare publisher", without[1:], limit{by: Ratio, bound: 0.8, atLeast: true})}
	withCLU, err := b.commandsToCLU(ctx)
	if missing, ok := err.(errMissing); ok {
		b.report.LeftOut = append(b.report.LeftOut, "commands against clu websocket: "+missing.Error())
		return rows, nil
	}
	if err != nil {
		return rows, err
	}
	return append(rows, row("commands", what, "/s", with[1:], "clu websocket", withCLU, limit{by: Ratio, bound: 20, atLeast: true})), nil
}

// commandsToCLU measures the same through CLU's own server.
func (b *bench) commandsToCLU(ctx context.Context) (rates []float64, err error) {
	server, addr, err := b.cluWebsocket(ctx)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	clu, err := b.clientsPath(ctx, "clu websocket", addr, cluExchange)
	if err != nil {
		return nil, err
	}
	defer clu.close()
	round := b.commandRound(ctx, clu, b.size.CLUCommands, &rates)
	for range 1 + cluRounds(b.size) {
		if err := round(); err != nil {
			return nil, err
		}
	}
	return rates[1:], nil
}

// commandRound returns a round on one path, which appends the commands a second to rates.
func (b *bench) commandRound(ctx context.Context, path *commandPath, each int, rates *[]float64) func() error {
	return func() error {
		count := b.size.Commanders * each
		b.progress.begin("commands", fmt.Sprintf("%d through %s, %d rounds done", count, path.name, len(*rates)), commandsTime)
		took, err := path.deliver(ctx, b.size.Commanders, each)
		if err != nil {
			return fmt.Errorf("through %s: %w", path.name, err)
		}
		*rates = append(*rates, float64(count)/took.Seconds())
		return nil
	}
}

// commandsTime is the approximate duration of a round in seconds.
const commandsTime = 2.0

func cluRounds(s Sizes) int { return min(s.Rounds, 3) }

func commandsSeconds(s Sizes) float64 {
	return float64(3+2*s.Rounds+cluRounds(s)) * commandsTime
}

// failureDeadline is when the last command has its outcome (the publish timeout of amqpx, and a tenth of it until that is
// noticed), and its sender an error.
const failureDeadline = 1100 * time.Millisecond

// clientsPath returns the path through a WebSocket server.
func (b *bench) clientsPath(ctx context.Context, name, addr, exchange string) (*commandPath, error) {
	sink, err := newCommandSink(b.rabbitURL, exchange)
	if err != nil {
		return nil, err
	}
	source, err := newClientsSource(ctx, addr, b.size.Commanders, b.size.InFlight)
	if err != nil {
		sink.close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &commandPath{name: name, sink: sink, source: source}, nil
}

// confirmerPath returns the path from a bare publisher.
func (b *bench) confirmerPath() (*commandPath, error) {
	sink, err := newCommandSink(b.rabbitURL, bareExchange)
	if err != nil {
		return nil, err
	}
	publisher, err := newConfirmer(b.rabbitURL, confirmWindow)
	if err != nil {
		sink.close()
		return nil, err
	}
	return &commandPath{name: "a bare publisher", sink: sink, source: &confirmerSource{confirmer: publisher, exchange: bareExchange}}, nil
}

// confirmWindow is the limit of unconfirmed publishes of the bridge (the default of amqpx) and of the bare publisher.
const confirmWindow = 256
