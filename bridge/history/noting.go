package history

// noting is a reply whose values are being recorded.
type noting struct {
	a      *actor
	t      int64
	origin *Origin
	last   *node // the last top-level keyword
}

// member records the member of an object that comes after another one, and returns it.
func (n *noting) member(of, after *node, name, value []byte, depth int) *node {
	c := of.member(n.a, after, name)
	if c == nil {
		n.a.store.leftOut++
		return after
	}
	n.value(c, value, depth)
	return c
}

// value records a value, which is valid JSON or one of Python's numbers.
func (n *noting) value(at *node, value []byte, depth int) {
	if len(value) == 0 {
		return
	}
	switch value[0] {
	case '{':
		n.object(at, value, depth)
		return
	case '[':
		n.list(at, value, depth)
		return
	}
	if at.said != nil || at.saidItems > 0 {
		n.nothingBelow(at)
	}
	switch value[0] {
	case 'n':
		n.null(at)
	case '"', 't', 'f':
		if m := markOf(value); m != number {
			n.number(at, decimal{mark: m})
			return
		}
		n.state(at, value)
	default:
		if m := markOf(value); m != number {
			n.number(at, decimal{mark: m})
		} else if v, ok := parseDecimal(value); ok {
			n.number(at, v)
		} else {
			n.state(at, value) // all its digits
		}
	}
}

// markOf returns the mark of a number that JSON does not have, as a bridge may write it.
func markOf(value []byte) mark {
	switch string(value) {
	case "NaN", `"NaN"`:
		return nan
	case "Infinity", `"Infinity"`:
		return plusInf
	case "-Infinity", `"-Infinity"`:
		return minusInf
	}
	return number
}

// nullText is the state of a keyword while it is a number or null.
var nullText = []byte("null")

// null records that a keyword is null: in the series that it has, and in one of states if it has
// none.
func (n *noting) null(at *node) {
	if len(at.numbers) > 0 {
		n.number(at, decimal{mark: null})
		return
	}
	n.state(at, nullText)
}

// number records a number. While a keyword is one, it has no state.
func (n *noting) number(at *node, v decimal) {
	s := n.find(at, numeric)
	n.setNumber(s, v, at.writer != s && at.writer != nil)
	n.isNo(at, state)
	at.writer = s
}

// state records a value that is no number.
func (n *noting) state(at *node, value []byte) {
	s := n.find(at, state)
	n.setState(s, value, at.writer != s && at.writer != nil)
	n.isNo(at, numeric)
	at.writer = s
}

// isNo records that a keyword is not of a kind, of which it may have been until now. If another origin said
// that it was, those who hear both must learn that it no longer is.
func (n *noting) isNo(at *node, k kind) {
	if len(*at.of(k)) == 0 {
		return
	}
	was := at.writer == nil || at.writer.kind() == k
	s := at.series(k, n.origin)
	if s == nil && was {
		s = n.find(at, k)
	}
	if s != nil {
		n.setNull(s, was)
	}
}

func (n *noting) setNull(s *series, force bool) {
	if s.numbers != nil {
		n.setNumber(s, decimal{mark: null}, force)
	} else {
		n.setState(s, nullText, force)
	}
}

func (n *noting) setNumber(s *series, v decimal, force bool) {
	if force || v != s.numbers.last || s.numbers.raw.chunks == 0 {
		before := s.chunks()
		s.numbers.add(&n.a.store.arena, point{n.t, v})
		n.changed(s, before)
	}
	s.heard = max(s.heard, n.t)
}

func (n *noting) setState(s *series, value []byte, force bool) {
	before := s.chunks()
	s.states.add(&n.a.store.arena, n.t, value, force)
	n.changed(s, before)
	s.heard = max(s.heard, n.t)
}

// changed charges for the chunks that a series has got, and drops those that are too old for it.
func (n *noting) changed(s *series, before int) {
	if s.chunks() == before {
		return
	}
	s.expire(&n.a.store.arena, n.a.store.now)
	n.a.charge((s.chunks() - before) * chunkBytes)
}

// find returns the series of a kind for the reply's origin, which it adds if need be.
func (n *noting) find(at *node, k kind) *series {
	if s := at.series(k, n.origin); s != nil {
		return s
	}
	of := at.of(k)
	if len(*of) >= maxKeywordSeries-1 && n.origin != n.a.others {
		if s := at.series(k, n.a.others); s != nil {
			return s
		}
		return n.a.add(at, k, n.a.others, n.t)
	}
	return n.a.add(at, k, n.origin, n.t)
}

// add adds a series that begins at a time.
func (a *actor) add(at *node, k kind, o *Origin, began int64) *series {
	s := &series{node: at, origin: o, at: len(a.series), began: began}
	if k == numeric {
		s.numbers = &numbers{}
	} else {
		s.states = &states{}
	}
	a.series = append(a.series, s)
	of := at.of(k)
	*of = append(*of, s)
	a.charge(s.cost())
	return s
}
