package hub

import (
	"testing"
	"unsafe"
)

func TestASessionStaysSmall(t *testing.T) {
	if size := unsafe.Sizeof(Session{}); size > 352 {
		t.Errorf("%d bytes, and the next size class has 384", size)
	}
}
