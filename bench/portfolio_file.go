//go:build linux

package main

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// WriteCSV writes the portfolio as a core system does: GB18030, CRLF.
func (p Portfolio) WriteCSV(to io.Writer, c Changes) error {
	gb := simplifiedchinese.GB18030.NewEncoder().Writer(to)
	w := csv.NewWriter(gb)
	w.UseCRLF = true
	if err := w.Write(columns); err != nil {
		return err
	}
	for i := range p.Loans {
		if err := w.Write(p.Row(i, c)); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// WriteXLSX writes it as a workbook of one sheet, all cells texts.
func (p Portfolio) WriteXLSX(to io.Writer, c Changes) error {
	f := excelize.NewFile()
	defer f.Close()
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		return err
	}
	cells := make([]any, len(columns))
	set := func(row int, texts []string) error {
		for i, t := range texts {
			cells[i] = t
		}
		return w.SetRow(fmt.Sprintf("A%d", row), cells)
	}
	if err := set(1, columns); err != nil {
		return err
	}
	for i := range p.Loans {
		if err := set(i+2, p.Row(i, c)); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Write(to)
}

// WriteFile writes a file of the kind that its name ends in, .csv or .xlsx.
func (p Portfolio) WriteFile(path string, c Changes) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	write := p.WriteCSV
	if filepath.Ext(path) == ".xlsx" {
		write = p.WriteXLSX
	}
	if err := write(w, c); err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
