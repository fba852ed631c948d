package rules

import "tickler/obligation"

// maxDepth bounds the tree of branches, which a ledger file could close to a
// ring.
const maxDepth = 20

// variant gives a rule as it stands in a branch: its own override, or that of
// the nearest branch above. It is nil, with the override, where the rule does
// not hold there.
func (d *deriver) variant(r *Rule, branch string) (*Rule, *Override) {
	if len(r.Overrides) == 0 {
		return r, nil
	}
	for depth := 0; branch != "" && depth < maxDepth; depth++ {
		for i := range r.Overrides {
			if o := &r.Overrides[i]; o.Branch == branch {
				return o.Rule, o
			}
		}
		above := d.facts.Branches[branch]
		if above == nil {
			break
		}
		branch = above.Parent
	}
	return r, nil
}

// place puts a rule into an occurrence as it stands in the branch, and says
// whether it holds there.
func (d *deriver) place(o *occurrence, r *Rule, branch string) bool {
	v, why := d.variant(r, branch)
	o.rule = r
	if why != nil {
		o.note = "机构 " + why.Branch + "：" + why.Why
	}
	if v == nil {
		_ = d.dismiss(o, obligation.NotEffective, o.note+"，不执行")
		return false
	}
	o.rule = v
	return true
}
