package obligation

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tickler/calendar"
)

// The moves that people make. Each says why it cannot be made; who may make
// them is decided elsewhere.

// ErrSamePerson means that one person would stand on both sides of an act that
// wants two.
var ErrSamePerson = errors.New("it wants a second person (须由另一人办理)")

// open puts an obligation back on its desk.
func (o *Obligation) open() {
	o.State, o.DoneOn, o.Submitted, o.ClosedBy = Planned, 0, 0, ""
	o.SubmittedBy, o.Signatures, o.Waiver = "", nil, nil
	if !o.RaisedOn.IsZero() {
		o.State = Raised
	}
}

// stuck says that a move does not start from where the obligation is.
func (o *Obligation) stuck(move string) error {
	by := ""
	switch {
	case o.State == Submitted && o.SubmittedBy != "":
		by = fmt.Sprintf(" by %s on %s", o.SubmittedBy, o.Submitted)
	case o.State == Done && len(o.Signatures) > 0:
		last := o.Signatures[len(o.Signatures)-1]
		by = fmt.Sprintf(", last signed by %s on %s", last.By, last.On)
	case o.State == Done && o.SubmittedBy != "":
		by = fmt.Sprintf(" by %s on %s", o.SubmittedBy, o.DoneOn)
	case o.State == Done:
		by = fmt.Sprintf(" since %s", o.DoneOn)
	case o.State == Waived:
		by = fmt.Sprintf(" since %s (%s)", o.DoneOn, o.Cause)
	case !o.ReopenedAt.IsZero() && o.Cause != "" && !o.State.Ended():
		by = " (" + o.Cause + ")"
	}
	return fmt.Errorf("%s: obligation %q is %s%s", move, o.Key, o.State, by)
}

// Submit says that the act was done on a day. Without signatures to come the
// obligation is done.
func (o *Obligation) Submit(by string, on calendar.Date) error {
	if o.State != Raised && o.State != Planned {
		return o.stuck("submit")
	}
	o.Submitted, o.SubmittedBy, o.Signatures, o.Waiver, o.ClosedBy = on, by, nil, nil, ""
	o.State = Submitted
	if len(o.Sign) == 0 {
		o.State, o.DoneOn = Done, on
	}
	return nil
}

// SignNext adds the signature of the level that is waited for. Nobody signs
// what he submitted, what somebody submitted for him, nor twice.
func (o *Obligation) SignNext(by string, on calendar.Date, note string) error {
	role := o.Level()
	if role == "" {
		return o.stuck("sign")
	}
	if by == o.SubmittedBy {
		return fmt.Errorf("sign: %s submitted obligation %q: %w", by, o.Key, ErrSamePerson)
	}
	if by == o.Owner {
		return fmt.Errorf("sign: obligation %q is %s's own: %w", o.Key, by, ErrSamePerson)
	}
	for _, s := range o.Signatures {
		if s.By == by {
			return fmt.Errorf("sign: %s signed obligation %q as %s: %w", by, o.Key, s.Role, ErrSamePerson)
		}
	}
	o.Signatures = append(o.Signatures[:len(o.Signatures):len(o.Signatures)], Signature{Role: role, By: by, On: on, Note: note})
	if len(o.Signatures) == len(o.Sign) {
		o.State, o.DoneOn, o.Waiver = Done, on, nil
	}
	return nil
}

// askOf takes over who has to sign. What was signed stays as far as those roles
// are still asked for, in the new order.
func (o *Obligation) askOf(roles []string) {
	o.Sign = roles
	var kept []Signature
	for _, role := range roles {
		i := slices.IndexFunc(o.Signatures, func(s Signature) bool { return s.Role == role })
		if i < 0 {
			break
		}
		kept = append(kept, o.Signatures[i])
	}
	o.Signatures = kept
}

// Return puts a submitted obligation back on its desk, its due day unchanged.
func (o *Obligation) Return(by string, on calendar.Date, now time.Time, reason string) error {
	if o.State != Submitted {
		return o.stuck("return")
	}
	o.backAt(now)
	o.Cause = fmt.Sprintf("退回：%s（%s，%s）", reason, by, on)
	return nil
}

// backAt opens an obligation again. What was learnt up to that moment no longer
// closes it: of one second, what came before it.
func (o *Obligation) backAt(now time.Time) {
	if before := o.ReopenedAt.Add(1); !o.ReopenedAt.IsZero() && before.After(now) {
		now = before
	}
	o.open()
	o.ReopenedAt = now
}

// Waive asks for a waiver (豁免), or grants the one that another person asked
// for. It says which it did.
func (o *Obligation) Waive(by string, on calendar.Date, reason string) (granted bool, err error) {
	if o.State.Ended() {
		return false, o.stuck("waive")
	}
	if o.Waiver == nil {
		o.Waiver = &Request{By: by, On: on, Reason: reason}
		return false, nil
	}
	if o.Waiver.By == by {
		return false, fmt.Errorf("waive: %s asked for it on %s; a second person has to grant it: %w", by, o.Waiver.On, ErrSamePerson)
	}
	if by == o.Owner {
		return false, fmt.Errorf("waive: obligation %q is %s's own: %w", o.Key, by, ErrSamePerson)
	}
	o.Cause = fmt.Sprintf("豁免：%s（%s 申请，%s 同意）", o.Waiver.Reason, o.Waiver.By, by)
	o.State, o.DoneOn, o.Waiver = Waived, on, nil
	return true, nil
}

// Reopen puts one that was done or waived back on its desk.
func (o *Obligation) Reopen(by string, on calendar.Date, now time.Time, reason string) error {
	if o.State != Done && o.State != Waived {
		return o.stuck("reopen")
	}
	o.backAt(now)
	o.Cause = fmt.Sprintf("重新打开：%s（%s，%s）", reason, by, on)
	return nil
}

// Reassign gives an open obligation to a person. It stays his until the facts
// name another one than they did.
func (o *Obligation) Reassign(to string) error {
	if o.State.Ended() {
		return o.stuck("reassign")
	}
	if to == o.Owner {
		return fmt.Errorf("reassign: obligation %q is %s's already", o.Key, to)
	}
	if o.Assigned == nil {
		o.Assigned = &Assignment{Instead: o.Owner}
	}
	o.Owner, o.Snoozed = to, 0 // he put nothing off
	return nil
}
