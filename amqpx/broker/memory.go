package broker

// entryCost is a safe estimate of what a message in a queue costs in addition to its own
// bytes.
const entryCost = 128

// message is a published message. It is immutable, and shared by all queues and deliveries.
type message struct {
	exchange string
	key      string
	header   []byte // payload of the content header frame; its properties are never decoded
	body     []byte
	holders  int // queue entries and unacknowledged deliveries; guarded by Broker.mu
}

func (m *message) size() int { return len(m.header) + len(m.body) + len(m.key) }

// hold adds a holder of m, and letGo removes one.
func (b *Broker) hold(m *message) {
	if m.holders == 0 {
		b.memory += m.size()
	}
	m.holders++
	b.memory += entryCost
	if !b.alarm && b.memory > b.cfg.MaxBytes/4*3 {
		b.raiseAlarm()
	}
}

func (b *Broker) letGo(m *message) {
	m.holders--
	b.memory -= entryCost
	if m.holders == 0 {
		b.memory -= m.size()
	}
	if b.alarm && b.memory < b.cfg.MaxBytes/2 {
		b.clearAlarm()
	}
}

// hasRoom reports whether m may go to n more queues.
func (b *Broker) hasRoom(m *message, n int) bool {
	return b.memory+m.size()+n*entryCost <= b.cfg.MaxBytes
}

func (b *Broker) raiseAlarm() {
	b.alarm = true
	b.log.Warn("queues are filling up; publishers are blocked", "bytes", b.memory, "limit", b.cfg.MaxBytes)
	for c := range b.conns {
		if c.publishes {
			c.warn()
		}
	}
}

func (b *Broker) clearAlarm() {
	b.alarm = false
	b.log.Info("queues have drained; publishers are unblocked", "bytes", b.memory, "refused", b.refused)
	b.refused = 0
	for c := range b.conns {
		if c.warned {
			c.warned = false
			c.sendPlain(0, connectionUnblocked)
		}
	}
}

// warn sends connection.blocked, once in each alarm, to a client that supports it.
func (c *conn) warn() {
	if c.warned || !c.caps.blocked {
		return
	}
	c.warned = true
	buf, mark := beginMethod(c.out.begin(), 0, connectionBlocked)
	c.out.commit(endFrame(appendShort(buf, "low on memory"), mark))
}
