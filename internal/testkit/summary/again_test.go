package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTheTestsThatAskedForARabbitMQAreSelectedAndNoOthers(t *testing.T) {
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.ReplaceAll("R/link\tTestA/RabbitMQ\n"+
		"R/link\tTestB/RabbitMQ/x|y#01\n"+
		"R/link\tTestB/RabbitMQ\n"+ // runs the one above
		"R/link\tTestC\n"+
		"R/link\tTestC\n"+
		"R/link/broker\tTestD\n"+
		"R/page\tTestE\n"+
		"R/links\tTestF\n", "R/", root+"/")

	users := within(readBrokerTests(lines), []string{"link"})
	pattern, packages := selection(users)
	if want := "^TestA$/^RabbitMQ$|^TestB$/^RabbitMQ$|^TestC$|^TestD$"; pattern != want {
		t.Errorf("-run=%s, want %s", pattern, want)
	}
	if want := []string{root + "/link", root + "/link/broker"}; !slices.Equal(packages, want) {
		t.Errorf("packages %q, want %q", packages, want)
	}
	if n := len(within(readBrokerTests(lines), []string{"."})); n != 6 {
		t.Errorf("%d tests below the root, want 6", n)
	}
}

func TestASubtestIsSelectedByItsWholeName(t *testing.T) {
	pattern, _ := selection([]brokerTest{{"a", "TestB/x|y (z)#01"}})
	if want := `^TestB$/^x\|y \(z\)#01$`; pattern != want {
		t.Errorf("-run=%s, want %s", pattern, want)
	}
}

func TestTestsOfATagAreFound(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a_test.go":        "//go:build cluster\n\npackage a\n\nfunc TestIt(t *testing.T) {}\nfunc helper(t *testing.T) {}\nfunc TestMain(m *testing.M) {}\n",
		"b_test.go":        "package a\n\nfunc TestOther(t *testing.T) {}\n",
		"c_test.go":        "//go:build clusters\n\npackage a\n\nfunc TestAnother(t *testing.T) {}\n",
		"d.go":             "//go:build cluster\n\npackage a\n\nfunc TestNoTest(t *testing.T) {}\n",
		".cache/e_test.go": "//go:build cluster\n\npackage e\n\nfunc TestCached(t *testing.T) {}\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	users, err := tagged(dir, "cluster")
	if want := []brokerTest{{dir, "TestIt"}}; err != nil || !slices.Equal(users, want) {
		t.Errorf("found %v (%v), want %v", users, err, want)
	}
}
