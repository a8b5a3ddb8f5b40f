package access

import "testing"

func TestCredentialsAreHiddenInURLs(t *testing.T) {
	for target, want := range map[string]string{
		"/":                                   "/",
		"/m=a":                                "/m=a",
		"/a?x=1":                              "/a?x=1",
		"/a?":                                 "/a?",
		"/a?m=secret":                         "/a?m=(hidden)",
		"/a?x=1&m=secret&y=2":                 "/a?x=1&m=(hidden)&y=2",
		"/a?token=secret&ticket=secret":       "/a?token=(hidden)&ticket=(hidden)",
		"/a?%6d=secret&tick%65t=secret":       "/a?%6d=(hidden)&tick%65t=(hidden)",
		"/a?m":                                "/a?m=(hidden)",
		"/a?m=b=secret":                       "/a?m=(hidden)",
		"/a?m=x?token=y&token=secret":         "/a?m=(hidden)&token=(hidden)",
		"/a?x=1#token=secret":                 "/a?x=1#token=(hidden)",
		"wss://h/a?ticket=secret#top":         "wss://h/a?ticket=(hidden)#top",
		"/a?M=kept&tokens=kept&mm=kept&%zz=1": "/a?M=kept&tokens=kept&mm=kept&%zz=1",
	} {
		if got := RedactTarget(target); got != want {
			t.Errorf("%s becomes %s, want %s", target, got, want)
		}
	}
	if got := RedactQuery("x=1&m=secret"); got != "x=1&m=(hidden)" {
		t.Errorf("the query becomes %s", got)
	}
}

func TestTokensAreHiddenInSubprotocols(t *testing.T) {
	for list, want := range map[string]string{
		"":                                 "",
		"clu-ws.v1":                        "clu-ws.v1",
		"clu-ws.v1, bearer.secret":         "clu-ws.v1, bearer.(hidden)",
		"bearer.secret,clu,\tbearer.other": "bearer.(hidden),clu,\tbearer.(hidden)",
		"Bearer.secret, bearer, bearer":    "Bearer.(hidden), bearer, bearer",
		"x-bearer.kept, bearer.a.b.c":      "x-bearer.kept, bearer.(hidden)",
	} {
		if got := RedactProtocols(list); got != want {
			t.Errorf("%q becomes %q, want %q", list, got, want)
		}
	}
}

func TestParametersWithCredentialsAreLeftOut(t *testing.T) {
	for query, want := range map[string]string{"": "", "m=a": "", "m=a&x=1": "x=1", "x=1&%74oken=a&y": "x=1&y", "ticket=a&x=1&ticket=b": "x=1"} {
		if got := WithoutCredentials(query); got != want {
			t.Errorf("%q becomes %q, want %q", query, got, want)
		}
	}
}
