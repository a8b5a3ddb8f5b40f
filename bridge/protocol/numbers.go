package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

var errNotWhole = errors.New("not a whole number")

// readInt reads a whole JSON number in any notation that fits an int.
func readInt(raw json.RawMessage, to *int) error {
	negative, n, err := whole(raw)
	if err != nil || n > math.MaxInt {
		return errNotWhole
	}
	if *to = int(n); negative {
		*to = -*to
	}
	return nil
}

// readUint reads a whole JSON number in any notation that fits a uint64.
func readUint(raw json.RawMessage, to *uint64) error {
	negative, n, err := whole(raw)
	if err != nil || negative {
		return errNotWhole
	}
	*to = n
	return nil
}

// describe describes a wrong value: a short number as it is written, anything else by its kind.
func describe(raw json.RawMessage) string {
	const most = 30
	if what := Kind(raw); what != "a number" || len(raw) > most {
		return what
	}
	return string(raw)
}

// Number reads a field that must be a whole number of up to 64 bits, such as the number of a reply.
// Without it, or if it is null, it returns nil.
func (f Fields) Number(name string) (*uint64, error) {
	raw, ok := f[name]
	if !ok || string(raw) == "null" {
		return nil, nil
	}
	var n uint64
	if readUint(raw, &n) != nil {
		return nil, fmt.Errorf("%q is %s, but must be a whole number", name, describe(raw))
	}
	return &n, nil
}

// whole reads a JSON number without a fraction, however it is written: some encoders write 60000
// as 60000.0 or 6e4. It is exact: large numbers lose no digits. A number of more than 64 bits is
// an error. Minus zero is not negative.
func whole(raw json.RawMessage) (negative bool, n uint64, err error) {
	text, negative := bytes.CutPrefix(raw, []byte("-"))
	if len(text) == 0 || text[0] < '0' || text[0] > '9' {
		return false, 0, errNotWhole // not a number
	}
	mantissa, power, _ := strings.Cut(strings.ToLower(string(text)), "e")
	before, behind, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(before+behind, "0")
	zeros := len(digits) - len(strings.TrimRight(digits, "0"))
	digits = digits[:len(digits)-zeros]
	if digits == "" {
		return false, 0, nil
	}
	shift := 0
	if power != "" {
		if shift, err = strconv.Atoi(power); err != nil {
			return false, 0, errNotWhole
		}
	}
	const most = 20 // digits of 64 bits
	if shift += zeros - len(behind); shift < 0 || shift > most {
		return false, 0, errNotWhole
	}
	n, err = strconv.ParseUint(digits+strings.Repeat("0", shift), 10, 64)
	return negative, n, err
}
