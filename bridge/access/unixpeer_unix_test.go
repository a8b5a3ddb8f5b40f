//go:build unix

package access

import "testing"

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
