package engine

import "bytes"

// sealed is ciphertext that a socket did not take. It cannot be made again, and nothing
// may come before it.
type sealed struct {
	bytes     []byte
	size      int    // what the ledger counts
	delivered uint64 // frames that are delivered once it is out
}

func (s *sealed) len() int {
	if s == nil {
		return 0
	}
	return len(s.bytes)
}

// seal keeps a copy of ciphertext behind what is kept already.
func (o *outbound) seal(data []byte, delivered uint64, k *ledger) {
	if o.sealed == nil {
		o.sealed = &sealed{bytes: bytes.Clone(data)}
	} else {
		o.sealed.bytes = append(o.sealed.bytes, data...)
	}
	o.sealed.delivered += delivered
	k.bytes += cap(o.sealed.bytes) - o.sealed.size
	o.sealed.size = cap(o.sealed.bytes)
}

// dropSealed lets go of it.
func (o *outbound) dropSealed(k *ledger) {
	if o.sealed != nil {
		k.bytes -= o.sealed.size
		o.sealed = nil
	}
}

// onlySealed forgets all frames, and reports whether ciphertext is left.
func (o *outbound) onlySealed(k *ledger) bool {
	left := o.sealed
	o.sealed = nil
	o.forget(k)
	o.sealed = left
	return left != nil
}
