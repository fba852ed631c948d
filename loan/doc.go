// Package loan holds the facts of a branch: its people, borrowers, loans,
// guarantors and collateral, and the events that happened to them, as they
// were known for any day.
//
// It knows nothing of rules, files or stores: the ledger package makes these
// values from a bank's files, the rules package reads them.
package loan
