package access

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestAMistakeInTheConfigurationOfAnIssuerIsNamed(t *testing.T) {
	good := JWTConfig{Issuer: "i", Audience: "a", Algorithms: []string{"RS256"}, JWKS: "https://idp.example/keys", Roles: Assignments{{"groups:observers", "observer"}}}
	for want, change := range map[string]func(*JWTConfig){
		"":                             func(*JWTConfig) {},
		"jwt[0].issuer":                func(c *JWTConfig) { c.Issuer = "" },
		"jwt[0].audience":              func(c *JWTConfig) { c.Audience = "" },
		"jwt[0].algorithms: must list": func(c *JWTConfig) { c.Algorithms = nil },
		`jwt[0].algorithms: "none"`:    func(c *JWTConfig) { c.Algorithms = []string{"RS256", "none"} },
		"jwt[0].jwks: must be a URL":   func(c *JWTConfig) { c.JWKS = "idp.example/keys" },
		"jwt[0].jwks: must be the URL": func(c *JWTConfig) { c.JWKS = "" },
		"jwt[0].jwks: is not for":      func(c *JWTConfig) { c.Algorithms, c.Secret = []string{"HS256"}, strings.Repeat("s", 32) },
		"jwt[0].secret: is for HS256":  func(c *JWTConfig) { c.Secret = strings.Repeat("s", 32) },
		"jwt[0].secret: is required":   func(c *JWTConfig) { c.Algorithms = []string{"HS256", "RS256"} },
		"jwt[0].secret: has 31 bytes": func(c *JWTConfig) {
			c.Algorithms, c.Secret = []string{"HS256", "RS256"}, strings.Repeat("s", 31)
		},
		"jwt[0].secret: no such file":          func(c *JWTConfig) { c.Algorithms, c.Secret = []string{"HS256", "RS256"}, "file:gone" },
		`jwt[0].roles: "observers"`:            func(c *JWTConfig) { c.Roles = Assignments{{"observers", "observer"}} },
		`jwt[0].roles["a:b"]: there is no`:     func(c *JWTConfig) { c.Roles = Assignments{{"a:b", "king"}} },
		`jwt[0].role: there is no role "king"`: func(c *JWTConfig) { c.Role = "king" },
	} {
		cfg := good
		change(&cfg)
		o := testOptions(&testClock{}, nil)
		o.Secret = func(string) ([]byte, error) { return nil, errors.New("no such file") }
		_, err := newJWT([]JWTConfig{cfg}, parsedRoles(t), nil, o)
		var at *PathError
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.HasPrefix(err.Error(), want) || !errors.As(err, &at)):
			t.Errorf("%q: %v", want, err)
		case err != nil && strings.Contains(err.Error(), "ssss"):
			t.Errorf("the secret is in %v", err)
		}
	}
	if _, err := newJWT([]JWTConfig{good, good}, parsedRoles(t), nil, testOptions(&testClock{}, nil)); err == nil || !strings.HasPrefix(err.Error(), "jwt[1]: ") {
		t.Errorf("the same issuer twice: %v", err)
	}
}

func TestAClaimIsFoundByItsNameAndByItsDots(t *testing.T) {
	const claims = `{"groups": ["staff", "observers"], "sub": "ada", "admin": true, "level": 3, "scope": "openid clu.observe",
		"realm_access": {"roles": ["a:b", ["nested"]], "deep.er": {"x": "y"}}, "https://idp.example/roles": ["observer"], "dots.in.name": "yes"}`
	var all map[string]any
	d := json.NewDecoder(strings.NewReader(claims))
	d.UseNumber()
	if err := d.Decode(&all); err != nil {
		t.Fatal(err)
	}
	for match, want := range map[string]bool{
		"groups:observers": true, "groups:observer": false, "groups:staff,observers": false, "sub:ada": true, "sub:ad": false, "admin:true": true, "admin:false": false,
		"level:3": true, "scope:clu.observe": true, "scope:clu": false, "scope:openid clu.observe": true, "realm_access.roles:a:b": true, "realm_access.roles:nested": false,
		"realm_access.deep.er.x:y": true, "https://idp.example/roles:observer": true, "https://idp.example/roles:king": false, "dots.in.name:yes": true,
		"realm_access:roles": false, "none:x": false, "none.at.all:x": false,
	} {
		rule, err := newClaimRule(Assignment{match, "observer"})
		if err != nil {
			t.Errorf("%s: %v", match, err)
		}
		if got := rule.fits(all); got != want {
			t.Errorf("%s: %v", match, got)
		}
	}
	for _, match := range []string{"", "groups", ":x", "groups:"} {
		if _, err := newClaimRule(Assignment{match, "observer"}); err == nil {
			t.Errorf("%q is taken", match)
		}
	}
}

func TestTheFirstAssignmentThatFitsCounts(t *testing.T) {
	var all Assignments
	if err := json.Unmarshal([]byte(`{"z:z": "one", "a:a": "two", "m:m": "three"}`), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 3 || all[0] != (Assignment{"z:z", "one"}) || all[2].Role != "three" {
		t.Errorf("the order is %v", all)
	}
	if text, err := json.Marshal(all); err != nil || string(text) != `{"z:z":"one","a:a":"two","m:m":"three"}` {
		t.Errorf("%s, %v", text, err)
	}
	for text, want := range map[string]string{
		`["a"]`: "object", `{"a": 1}`: "name of a role", `{"a": ""}`: "name of a role", `{"a": {"b": "c"}}`: "name of a role", `{"a": "b", "a": "c"}`: "twice",
	} {
		if err := json.Unmarshal([]byte(text), &all); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := json.Unmarshal([]byte(`null`), &all); err != nil || all != nil {
		t.Errorf("null: %v, %v", all, err)
	}
}
