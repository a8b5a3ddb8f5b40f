package model

import "maps"

// WithSite returns keywords with the unit and the description that the operator gave one of them, or
// a member or item of it, by the path below the actor. What is "" stays as it is. The keywords given
// do not change.
func WithSite(keywords map[string]Keyword, path []string, unit, description string) map[string]Keyword {
	if len(path) == 0 || len(path) > maxDepth {
		return keywords
	}
	keywords = maps.Clone(keywords)
	if keywords == nil {
		keywords = map[string]Keyword{}
	}
	k, ok := keywords[path[0]]
	if !ok {
		k.Type = "any"
	}
	keywords[path[0]] = k.withSite(path[1:], unit, description)
	return keywords
}

// withSite returns the keyword with what the operator said of it, or of what is at a path in it.
func (k Keyword) withSite(path []string, unit, description string) Keyword {
	switch {
	case len(path) == 0:
		if unit != "" {
			k.Unit, k.UnitFrom = text(unit, maxUnit), fromSite
		}
		if description != "" {
			k.Description = text(description, maxTextBytes)
		}
	case k.Items != nil && path[0] != "" && path[0][0] >= '0' && path[0][0] <= '9':
		items := k.Items.withSite(path[1:], unit, description)
		k.Items = &items
	default:
		k.Members = WithSite(k.Members, path, unit, description)
	}
	return k
}

// WithHeard returns keywords with those whose values were heard and that are not among them, as far as
// their names say a unit. The keywords given do not change.
func WithHeard(keywords map[string]Keyword, names []string) map[string]Keyword {
	cloned := false
	for _, name := range names {
		unit := UnitOf(name)
		if _, known := keywords[name]; known || unit == "" {
			continue
		}
		if !cloned {
			cloned = true
			if keywords = maps.Clone(keywords); keywords == nil {
				keywords = map[string]Keyword{}
			}
		}
		keywords[name] = Keyword{Type: "any", Unit: unit, UnitFrom: fromSuffix}
	}
	return keywords
}
