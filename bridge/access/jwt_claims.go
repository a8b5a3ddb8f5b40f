package access

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// claimRule is what an assignment CLAIM:VALUE asks of a token. Claims have colons in their names,
// as https://idp.example/roles, and values may have some, too, so that each colon may be the one.
type claimRule struct {
	splits []claimSplit
	role   string
}

type claimSplit struct{ claim, value string }

func newClaimRule(a Assignment) (claimRule, error) {
	rule := claimRule{role: a.Role}
	for i := range len(a.Match) {
		if a.Match[i] == ':' && i > 0 && i < len(a.Match)-1 {
			rule.splits = append(rule.splits, claimSplit{a.Match[:i], a.Match[i+1:]})
		}
	}
	if rule.splits == nil {
		return rule, fmt.Errorf(`%q must be CLAIM:VALUE, such as groups:observers or realm_access.roles:observer`, a.Match)
	}
	return rule, nil
}

// fits reports whether the claims have the value: as a text, in a list, or, in "scope" and "scp",
// as one of several words (RFC 8693, 4.2).
func (r claimRule) fits(claims map[string]any) bool {
	return slices.ContainsFunc(r.splits, func(s claimSplit) bool {
		value, ok := claimAt(claims, s.claim)
		return ok && claimHas(value, s.value, s.claim == "scope" || s.claim == "scp")
	})
}

// claimAt returns the claim of that very name, or the one that its dots lead to.
func claimAt(claims map[string]any, path string) (any, bool) {
	if value, ok := claims[path]; ok {
		return value, true
	}
	for i := range len(path) {
		if path[i] != '.' {
			continue
		}
		if inner, ok := claims[path[:i]].(map[string]any); ok {
			if value, ok := claimAt(inner, path[i+1:]); ok {
				return value, true
			}
		}
	}
	return nil, false
}

func claimHas(claim any, value string, words bool) bool {
	switch claim := claim.(type) {
	case string:
		return claim == value || words && slices.Contains(strings.Fields(claim), value)
	case bool:
		return fmt.Sprint(claim) == value
	case json.Number:
		return claim.String() == value
	case []any:
		return slices.ContainsFunc(claim, func(one any) bool {
			_, isList := one.([]any)
			return !isList && claimHas(one, value, false)
		})
	}
	return false
}
