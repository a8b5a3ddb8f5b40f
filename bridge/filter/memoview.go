package filter

// MemoView is a view in a memo. It is evaluated at most once for each reply, however many
// subscriptions it bounds.
type MemoView struct {
	memo     *Memo
	view     *View
	numbers  []int // of the hear filters, then of the hide filters
	looked   uint64
	selected bool // it selects the reply of that look
}

// AddView adds a view, which must not be nil.
func (m *Memo) AddView(v *View) *MemoView {
	mv := &MemoView{memo: m, view: v}
	for range len(v.hear) + len(v.hide) {
		mv.numbers = append(mv.numbers, m.Add())
	}
	return mv
}

// RemoveView frees the numbers of a view's filters.
func (m *Memo) RemoveView(mv *MemoView) {
	for _, number := range mv.numbers {
		m.Remove(number)
	}
}

// Match is [View.Match] of the memo's current reply. A nil view selects it.
func (mv *MemoView) Match() bool {
	if mv == nil {
		return true
	}
	m := mv.memo
	m.work++
	if mv.looked != m.looks {
		mv.looked, mv.selected = m.looks, mv.evaluate()
	}
	return mv.selected
}

// Hides is [View.Hides] of the memo's current reply. It is evaluated each time.
func (mv *MemoView) Hides() bool { return mv != nil && mv.view.Hides(mv.memo.reply) }

func (mv *MemoView) evaluate() bool {
	m, hear := mv.memo, len(mv.view.hear)
	heard := false
	for i, f := range mv.view.hear {
		if heard = m.Match(f, mv.numbers[i], false); heard {
			break
		}
	}
	if !heard {
		return false
	}
	for i, f := range mv.view.hide {
		if m.Match(f, mv.numbers[hear+i], false) {
			return false
		}
	}
	return !mv.view.hidesAbout(m.reply)
}
