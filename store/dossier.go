package store

import (
	"bytes"
	"fmt"
	"slices"

	"tickler/calendar"
	"tickler/loan"
)

// Dossier gives all that is known of a borrower; nil, nil where nothing is.
// It is the caller's own.
func (tx *Tx) Dossier(id string) (*loan.Dossier, error) {
	if id == "" {
		return nil, nil
	}
	p, err := tx.get(bucketDossier, []byte(id), dossierVersion)
	if err != nil || p == nil {
		return nil, err
	}
	return tx.decodeDossier([]byte(id), p)
}

// BorrowerName gives a borrower's name as of a day: of his customer row, or of
// the first of his loans that has one; "" where none does. It reads no more of
// the dossier than it must.
func (tx *Tx) BorrowerName(id string, on calendar.Date) (string, error) {
	if id == "" {
		return "", nil
	}
	p, err := tx.get(bucketDossier, []byte(id), dossierVersion)
	if err != nil || p == nil {
		return "", err
	}
	d := tx.borrowDecoder(p)
	defer tx.giveBack(d)
	name := d.borrowerName(on)
	if d.err != nil {
		return "", decodeError(bucketDossier, []byte(id), d.err)
	}
	return name, nil
}

func (tx *Tx) decodeDossier(key, payload []byte) (*loan.Dossier, error) {
	d := newDecoder(tx, payload)
	d.texts = make([]string, 0, 16) // what a borrower of two or three loans has
	out := &loan.Dossier{ID: string(key)}
	d.dossier(out)
	if err := d.end(); err != nil {
		return nil, decodeError(bucketDossier, key, err)
	}
	return out, nil
}

// PutDossier keeps all that is known of a borrower, and what finds it again:
// by loan, collateral, guarantor, branch and officer, and by the loans of others that its
// collateral secures. Branches and officers
// are those of the customer row and of the newest version of each loan; the
// row's risk manager is found like an officer. A dossier that is as it was
// writes nothing.
//
// A loan or collateral that another borrower's dossier held is this one's from
// now on; the caller puts that other dossier too. Moments are kept in UTC;
// empty lists and maps come back nil.
func (tx *Tx) PutDossier(d *loan.Dossier) error {
	if tx.w == nil {
		return errReadOnly
	}
	if d.ID == "" {
		return fmt.Errorf("store: a dossier has no borrower")
	}
	key := []byte(d.ID)
	tx.enc.reset(tx)
	tx.enc.dossier(d)
	if tx.enc.err != nil {
		return tx.enc.err
	}
	payload := tx.enc.b
	before, err := tx.get(bucketDossier, key, dossierVersion)
	if err != nil {
		return err
	}
	if before != nil && bytes.Equal(before, payload) {
		return nil
	}
	was := &loan.Dossier{ID: d.ID}
	if before != nil {
		if was, err = tx.decodeDossier(key, before); err != nil {
			return err
		}
	}
	if err := tx.own(was, d); err != nil {
		return err
	}
	tx.repost(dossierPostings(was), dossierPostings(d))
	return tx.put(bucketDossier, key, dossierVersion, payload)
}

// own moves the loans and collaterals of a dossier to its borrower.
func (tx *Tx) own(was, is *loan.Dossier) error {
	kept := map[loan.Ref]bool{}
	for _, r := range dossierRefs(is) {
		kept[r] = true
		if r.ID == "" {
			return fmt.Errorf("store: the dossier of %q holds a %s without an id", is.ID, r.Kind)
		}
		key, err := refKey(r)
		if err != nil {
			return err
		}
		owner, err := tx.get(bucketOwner, key, 1)
		if err != nil {
			return err
		}
		if owner == nil || string(owner) != is.ID {
			if err := tx.put(bucketOwner, key, 1, []byte(is.ID)); err != nil {
				return err
			}
		}
	}
	for _, r := range dossierRefs(was) {
		if kept[r] {
			continue
		}
		key, err := refKey(r)
		if err != nil {
			return err
		}
		owner, err := tx.get(bucketOwner, key, 1)
		if err != nil {
			return err
		}
		if string(owner) == is.ID { // not yet another's
			if err := tx.delete(bucketOwner, key); err != nil {
				return err
			}
		}
	}
	return nil
}

func dossierRefs(d *loan.Dossier) []loan.Ref {
	out := make([]loan.Ref, 0, len(d.Loans)+len(d.Collaterals))
	for _, l := range d.Loans {
		out = append(out, loan.Ref{Kind: loan.KindLoan, ID: l.ID})
	}
	for _, c := range d.Collaterals {
		out = append(out, loan.Ref{Kind: loan.KindCollateral, ID: c.ID})
	}
	return out
}

// dossierPostings lists where a dossier is to be found, sorted, without
// doubles.
func dossierPostings(d *loan.Dossier) []posting {
	var out []posting
	add := func(index byte, cell string) {
		if cell != "" {
			out = append(out, posting{cellKey(index, []byte(cell)), d.ID})
		}
	}
	if d.Borrower != nil {
		add(indexBranch, d.Borrower.Branch)
		add(indexOfficer, d.Borrower.Officer)
		add(indexOfficer, d.Borrower.RiskManager)
	}
	for _, c := range d.Collaterals {
		for _, id := range c.Loans {
			if !slices.ContainsFunc(d.Loans, func(l *loan.LoanFile) bool { return l.ID == id }) {
				add(indexSecured, id)
			}
		}
	}
	for _, l := range d.Loans {
		for _, g := range l.Guarantors {
			add(indexGuarantor, g.ID)
		}
		if len(l.History) == 0 {
			continue
		}
		newest := &l.History[len(l.History)-1]
		add(indexBranch, newest.Value.Branch)
		add(indexOfficer, newest.Value.Officer)
		for _, g := range l.Parties(newest.From) {
			add(indexGuarantor, g.ID)
		}
	}
	slices.SortFunc(out, comparePostings)
	return slices.Compact(out)
}

// ScanDossiers calls fn for every dossier, by borrower id. It is fn's own.
func (tx *Tx) ScanDossiers(fn func(*loan.Dossier) error) error {
	return tx.scan(bucketDossier, nil, nil, dossierVersion, func(key, payload []byte) error {
		d, err := tx.decodeDossier(key, payload)
		if err != nil {
			return err
		}
		return fn(d)
	})
}

// ScanDossiersFrom is ScanDossiers for at most n dossiers after a borrower
// id; "" begins. It gives the last id seen, or "" at the end. So a long read
// goes page by page, a View each.
func (tx *Tx) ScanDossiersFrom(after string, n int, fn func(*loan.Dossier) error) (last string, err error) {
	var from []byte
	if after != "" {
		from = append([]byte(after), 0)
	}
	err = tx.scan(bucketDossier, from, nil, dossierVersion, func(key, payload []byte) error {
		if n == 0 {
			return errStop
		}
		n--
		d, err := tx.decodeDossier(key, payload)
		if err != nil {
			return err
		}
		last = d.ID
		return fn(d)
	})
	if err == errStop {
		return last, nil
	}
	return "", err
}

// DossiersOfBranch calls fn for the dossiers that a branch has a part in, by
// borrower id: the customer row is its own, or the newest version of a loan.
func (tx *Tx) DossiersOfBranch(branch string, fn func(*loan.Dossier) error) error {
	return tx.dossiersOf(indexBranch, branch, fn)
}

// DossiersOfOfficer is DossiersOfBranch for an officer; the customer row is
// also its risk manager's.
func (tx *Tx) DossiersOfOfficer(officer string, fn func(*loan.Dossier) error) error {
	return tx.dossiersOf(indexOfficer, officer, fn)
}

// BorrowersOfBranch lists the borrower ids of DossiersOfBranch.
func (tx *Tx) BorrowersOfBranch(branch string) ([]string, error) {
	return tx.cellMembers(indexBranch, branch)
}

// BorrowersOfOfficer lists the borrower ids of DossiersOfOfficer.
func (tx *Tx) BorrowersOfOfficer(officer string) ([]string, error) {
	return tx.cellMembers(indexOfficer, officer)
}

// GuaranteedBy lists the borrowers whose loans a guarantor guarantees, by id.
func (tx *Tx) GuaranteedBy(guarantor string) ([]string, error) {
	return tx.cellMembers(indexGuarantor, guarantor)
}

// SecuredBy lists the other borrowers whose collateral secures a loan too, by
// id.
func (tx *Tx) SecuredBy(loan string) ([]string, error) {
	return tx.cellMembers(indexSecured, loan)
}

// Secured calls fn for every loan that the collateral of another borrower
// secures too, and that borrower, by loan.
func (tx *Tx) Secured(fn func(loan, borrower string) error) error {
	return tx.members([]byte{indexSecured}, []byte{indexSecured + 1}, func(cell []byte, id string) error {
		loan, _, ok := cutText(cell[1:])
		if !ok {
			return damaged(bucketPost, cell, "it names no cell")
		}
		return fn(loan, id)
	})
}

func (tx *Tx) dossiersOf(index byte, cell string, fn func(*loan.Dossier) error) error {
	return tx.membersOf([]byte(cellKey(index, []byte(cell))), func(cell []byte, id string) error {
		d, err := tx.Dossier(id)
		if err != nil {
			return err
		}
		if d == nil {
			return damaged(bucketPost, cell, "it points to the dossier of %q, which is missing", id)
		}
		return fn(d)
	})
}

// LoanOwner gives the borrower whose dossier holds a loan; ErrNotFound where
// none does.
func (tx *Tx) LoanOwner(loanID string) (borrower string, err error) {
	return tx.ownerOf(loan.Ref{Kind: loan.KindLoan, ID: loanID})
}

// CollateralOwner gives the borrower whose dossier holds a collateral;
// ErrNotFound where none does.
func (tx *Tx) CollateralOwner(id string) (borrower string, err error) {
	return tx.ownerOf(loan.Ref{Kind: loan.KindCollateral, ID: id})
}

func (tx *Tx) ownerOf(r loan.Ref) (string, error) {
	if r.ID == "" {
		return "", fmt.Errorf("%s: %w", r, ErrNotFound)
	}
	key, err := refKey(r)
	if err != nil {
		return "", err
	}
	p, err := tx.get(bucketOwner, key, 1)
	if err == nil && p == nil {
		err = fmt.Errorf("%s: %w", r, ErrNotFound)
	}
	return string(p), err
}
