package broker

import "encoding/binary"

// args reads a method's arguments in order. A read past the end yields zero values, and end then returns an
// error, so that a handler checks once, after its last argument.
type args struct {
	b   []byte
	bad bool
}

// take returns the next n bytes, or nil if fewer are left.
func (a *args) take(n int) []byte {
	if n > len(a.b) {
		a.bad, a.b = true, nil
		return nil
	}
	v := a.b[:n]
	a.b = a.b[n:]
	return v
}

// flags reads one octet of packed bits, the first declared bit lowest.
func (a *args) flags() byte {
	if v := a.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (a *args) u16() uint16 {
	if v := a.take(2); v != nil {
		return binary.BigEndian.Uint16(v)
	}
	return 0
}

func (a *args) u32() uint32 {
	if v := a.take(4); v != nil {
		return binary.BigEndian.Uint32(v)
	}
	return 0
}

func (a *args) u64() uint64 {
	if v := a.take(8); v != nil {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

// short reads a short string without copying it.
func (a *args) short() []byte { return a.take(int(a.flags())) }

// name reads a short string that outlives the frame.
func (a *args) name() string { return string(a.short()) }

// long reads a long string without copying it. Its declared length is checked first, so a false one
// allocates nothing.
func (a *args) long() []byte {
	n := a.u32()
	if uint64(n) > uint64(len(a.b)) {
		a.bad, a.b = true, nil
		return nil
	}
	return a.take(int(n))
}

// table reads a field table and checks that it is well formed. It stays encoded.
func (a *args) table() table {
	t := table(a.long())
	if !t.valid() {
		a.bad = true
	}
	return t
}

// end returns an error if an argument was missing or malformed: FRAME_ERROR, as in RabbitMQ, which also
// ignores bytes after the last argument.
func (a *args) end() error {
	if a.bad {
		return errorf(frameError, "the method's arguments are cut short or malformed")
	}
	return nil
}
