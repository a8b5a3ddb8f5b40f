package broker

// table is the encoded content of a field table: a sequence of name, type octet and value. The broker
// builds no map from it, but reads the bytes in place.
type table []byte

// maxTableDepth bounds tables within tables, which are read by recursion.
const maxTableDepth = 16

// field is one entry of a table; value holds the encoded value, without a long string's length.
type field struct {
	name  string
	kind  byte
	value []byte
}

// valid reports whether the table, and all that is nested in it, is well formed.
func (t table) valid() bool { return validTable(t, 0) }

// fields calls yield for each entry until it returns false. It stops without an error at malformed bytes.
func (t table) fields(yield func(field) bool) {
	for a := (args{b: t}); len(a.b) > 0; {
		f, ok := nextField(&a)
		if !ok || !yield(f) {
			return
		}
	}
}

// table returns the nested table of that name, or an empty one.
func (t table) table(name string) table {
	for f := range t.fields {
		if f.name == name && f.kind == 'F' {
			return f.value
		}
	}
	return nil
}

// is reports whether the table has a boolean field of that name that is true.
func (t table) is(name string) bool {
	for f := range t.fields {
		if f.name == name && f.kind == 't' {
			return f.value[0] != 0
		}
	}
	return false
}

func nextField(a *args) (field, bool) {
	f := field{name: a.name(), kind: a.flags()}
	f.value = takeValue(a, f.kind)
	return f, !a.bad
}

func validTable(t []byte, depth int) bool {
	a := args{b: t}
	for len(a.b) > 0 {
		a.short()
		if !validValue(&a, depth) {
			return false
		}
	}
	return depth <= maxTableDepth
}

func validArray(t []byte, depth int) bool {
	a := args{b: t}
	for len(a.b) > 0 {
		if !validValue(&a, depth) {
			return false
		}
	}
	return depth <= maxTableDepth
}

func validValue(a *args, depth int) bool {
	kind := a.flags()
	value := takeValue(a, kind)
	if a.bad || depth > maxTableDepth {
		return false
	}
	switch kind {
	case 'F':
		return validTable(value, depth+1)
	case 'A':
		return validArray(value, depth+1)
	}
	return true
}

// takeValue takes one value of the given type. The types are those that RabbitMQ and its clients
// write, which differ from the specification's in 's' (a 16-bit integer) and 'x' (bytes).
func takeValue(a *args, kind byte) []byte {
	switch kind {
	case 'V':
		return nil
	case 't', 'b', 'B':
		return a.take(1)
	case 's', 'u':
		return a.take(2)
	case 'I', 'i', 'f':
		return a.take(4)
	case 'D': // scale, then four octets of value
		return a.take(5)
	case 'l', 'L', 'd', 'T':
		return a.take(8)
	case 'S', 'x', 'A', 'F':
		return a.long()
	}
	a.bad = true
	return nil
}

// appendBool and appendString write one table entry.
func appendBool(dst []byte, name string, v bool) []byte {
	dst = append(appendShort(dst, name), 't', 0)
	if v {
		dst[len(dst)-1] = 1
	}
	return dst
}

func appendString(dst []byte, name, v string) []byte {
	return appendLong(append(appendShort(dst, name), 'S'), v)
}
