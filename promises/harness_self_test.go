package promises

import "testing"

// The harness itself: a branch that has what the promises are tried on.
func TestTheBranchHasDutiesOfEveryKind(t *testing.T) {
	b := peopled(t, 60)
	rules, states := map[string]int{}, map[string]int{}
	for _, d := range b.copied().duties() {
		rules[d.Rule]++
		states[d.State]++
	}
	for _, rule := range []string{"maturity-notice", "overdue-notice", "monthly-report"} {
		if rules[rule] == 0 {
			t.Errorf("no duty of %s: %v", rule, rules)
		}
	}
	if states["raised"] == 0 || states["planned"] == 0 {
		t.Errorf("states: %v", states)
	}
	d := b.serve()
	b.must("status")
	if code := d.stop(); code != 0 {
		t.Errorf("the daemon ended with %d: %s", code, d.log)
	}
	b.sound()
}

// A control is a build with one line exchanged.
func TestAPlantedFaultIsBuilt(t *testing.T) {
	b := newBranch(t)
	b.program = planted(t, "cmd/tickler/version.go", `Use:   "version"`, `Use:   "planted"`)
	if r := b.run("planted"); r.code != 0 {
		t.Error(r)
	}
}
