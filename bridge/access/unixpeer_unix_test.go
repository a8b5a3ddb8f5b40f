//go:build unix

package access

import (
	"errors"
	"slices"
	"testing"
)

func TestTheSystemKnowsTheUserOfThisProcess(t *testing.T) {
	name, groups, err := systemAccounts{}.lookup(0, 0)
	if err != nil || name != "root" || len(groups) == 0 {
		t.Errorf("uid 0 is %q in %q, %v", name, groups, err)
	}
	const nobody = 1<<31 - 7
	if name, groups, err := (systemAccounts{}).lookup(nobody, nobody); err != nil || name != "" || len(groups) != 1 {
		t.Errorf("an unknown uid is %q in %q, %v", name, groups, err)
	}
}

func TestAUserOutsideTheUserNamespaceIsNotNobody(t *testing.T) {
	for uidMap, all := range map[string]bool{
		"         0          0 4294967295\n":                       true,
		"         0       1000          1\n":                       false, // one user
		"         0          0          1\n   61234   61234   1\n": false, // PrivateUsers=yes
		"": false,
	} {
		if got := hasAllIDs(uidMap); got != all {
			t.Errorf("the map %q has all ids: %v", uidMap, got)
		}
	}
	inside := systemAccounts{partial: true}
	if name, groups, err := inside.lookup(overflowID, 0); !errors.Is(err, errUnmapped) {
		t.Errorf("a user outside is %q in %q, %v", name, groups, err)
	}
	if _, groups, err := inside.lookup(0, overflowID); err != nil || slices.Contains(groups, "65534") {
		t.Errorf("a group outside is in %q, %v", groups, err)
	}
	if _, _, err := (systemAccounts{}).lookup(overflowID, overflowID); err != nil {
		t.Errorf("nobody itself: %v", err)
	}
}
