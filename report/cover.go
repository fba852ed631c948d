package report

// Borrowers are alike, for the quotas, when they are of one class group and
// have the same of two traits. So the search is over 12 numbers, however large
// the branch.
const (
	traitLarge = 1 << iota
	traitSecured
	traits = 1 << 2
)

// tally counts borrowers by class group and traits.
type tally [groups][traits]int

// needs are the numbers that a choice has still to reach.
type needs struct {
	class          [groups]int
	large, secured int
}

// less gives what is needed once a borrower of the kind is taken.
func (n needs) less(group, trait int) needs {
	n.class[group] = max(0, n.class[group]-1)
	if trait&traitLarge != 0 {
		n.large = max(0, n.large-1)
	}
	if trait&traitSecured != 0 {
		n.secured = max(0, n.secured-1)
	}
	return n
}

// never is more borrowers than there are.
const never = 1 << 30

// cover gives the fewest borrowers of the tally that meet the needs, exactly;
// never where they cannot be met. The groups only meet in the two traits, so
// it tries, group by group, how many of each trait to take, and keeps the
// fewest for each pair of sums so far.
func cover(t *tally, n needs) int {
	type table [wantLargest + 1][wantSecured + 1]int // [large so far][secured so far] -> fewest
	var best table
	for l := range best {
		for s := range best[l] {
			best[l][s] = never
		}
	}
	best[0][0] = 0
	for g := range groups {
		c := &t[g]
		there := c[0] + c[traitLarge] + c[traitSecured] + c[traitLarge|traitSecured]
		if there < n.class[g] {
			return never
		}
		var next table
		for l := range next {
			for s := range next[l] {
				next[l][s] = never
			}
		}
		for both := 0; both <= min(c[traitLarge|traitSecured], max(n.large, n.secured)); both++ {
			for large := 0; large <= min(c[traitLarge], n.large); large++ {
				for secured := 0; secured <= min(c[traitSecured], n.secured); secured++ {
					cost := max(n.class[g], both+large+secured)
					for l := 0; l <= n.large; l++ {
						for s := 0; s <= n.secured; s++ {
							if best[l][s] == never {
								continue
							}
							to := &next[min(n.large, l+both+large)][min(n.secured, s+both+secured)]
							*to = min(*to, best[l][s]+cost)
						}
					}
				}
			}
		}
		best = next
	}
	return best[n.large][n.secured]
}
