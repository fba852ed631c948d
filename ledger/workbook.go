package ledger

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

// A workbook is a zip of XML. It is refused where it would unpack to more than
// this; sheets larger than maxPart go through a temporary file.
const (
	maxUnpacked = 512 << 20
	maxPart     = 64 << 20
)

// workbook is an open .xlsx. excelize reads its cells; what it keeps silent
// about, a second look at the XML tells: see inspection.
type workbook struct {
	*excelize.File
	parts map[string]*zip.File // sheet name -> its part
	sst   *zip.File            // the shared strings; nil if there are none

	shared    []string // those strings, where the part is plain
	sharedErr error
	sharedSet bool
}

// plain gives the shared strings where they can be read the quick way.
func (w *workbook) plain() ([]string, bool) {
	if !w.sharedSet {
		w.shared, w.sharedErr = plainStrings(w.sst)
		w.sharedSet = true
	}
	return w.shared, w.sharedErr == nil
}

func openWorkbook(data []byte) (*workbook, error) {
	x, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{
		RawCellValue: true, UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxPart,
	})
	if err != nil {
		return nil, err
	}
	w := &workbook{File: x, parts: map[string]*zip.File{}}
	if err := w.findParts(data); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return w, nil
}

// findParts finds the part of each sheet, by the workbook's relations.
func (w *workbook) findParts(data []byte) error {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	byName := map[string]*zip.File{}
	var rels *zip.File
	for _, f := range z.File {
		name := strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(f.Name, `\`, "/"), "/"))
		byName[name] = f
		if strings.HasSuffix(name, "_rels/workbook.xml.rels") {
			rels = f
		}
		if strings.HasSuffix(name, "/sharedstrings.xml") {
			w.sst = f
		}
	}
	if rels == nil {
		return errors.New("no xl/_rels/workbook.xml.rels")
	}
	base := path.Dir(path.Dir(strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(rels.Name, `\`, "/"), "/"))))
	var list struct {
		Relationship []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		}
	}
	if err := readXML(rels, &list); err != nil {
		return err
	}
	target := map[string]string{} // relation id -> part
	for _, r := range list.Relationship {
		t := strings.ToLower(strings.ReplaceAll(r.Target, `\`, "/"))
		if strings.HasPrefix(t, "/") {
			t = t[1:]
		} else {
			t = path.Join(base, t)
		}
		target[r.ID] = t
	}
	w.GetSheetList() // makes excelize read the workbook
	if w.WorkBook == nil {
		return errors.New("no xl/workbook.xml")
	}
	for _, s := range w.WorkBook.Sheets.Sheet {
		if f := byName[target[s.ID]]; f != nil {
			w.parts[s.Name] = f
		}
	}
	return nil
}

func readXML(f *zip.File, v any) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	return xml.NewDecoder(io.LimitReader(r, maxPart)).Decode(v)
}

// date1904 says that the workbook counts its days from 1904.
func (w *workbook) date1904() bool {
	p, err := w.GetWorkbookProps()
	return err == nil && p.Date1904 != nil && *p.Date1904
}

// cellAt is a cell of a sheet: row from 1, column from 0.
type cellAt struct{ row, col int }

// oddity is what a cell's raw text does not show.
type oddity uint8

const (
	oddFormula oddity = iota + 1 // a formula without a value
	oddError                     // #N/A and its like
	oddLong                      // a number, not a text, of more than 15 digits or in scientific form
	oddZeros                     // a number written 12.0
)

// inspection is a second look at the XML of a sheet for what excelize does not
// tell: it takes broken XML for the end of the sheet, gives a formula without a
// value as nothing, and numbers and texts alike. It runs beside the reading of
// the cells, and a little ahead of it.
type inspection struct {
	batches chan batch
	odd     map[cellAt]oddity // of the rows around the one reached
	upTo    int               // rows that are looked at
	last    int               // row with a cell
	err     error
}

// batch is some hundred rows, or what ended the look.
type batch struct {
	odd        map[cellAt]oddity
	upTo, last int
	err        error
}

// inspect starts a look at a sheet. Its finish must be called.
func inspect(part *zip.File) *inspection {
	in := &inspection{batches: make(chan batch, 8)}
	go func() {
		defer close(in.batches)
		if last, err := walk(part, in.batches); err != nil || last > 0 {
			in.batches <- batch{upTo: math.MaxInt, last: last, err: err}
		}
	}()
	return in
}

// reach waits until the row was looked at. Rows come in order.
func (in *inspection) reach(row int) {
	for in.upTo < row {
		b, ok := <-in.batches
		if !ok {
			in.upTo, in.odd = math.MaxInt, nil
			return
		}
		in.take(b)
	}
}

func (in *inspection) take(b batch) {
	in.odd, in.upTo, in.last = b.odd, b.upTo, b.last
	if b.err != nil {
		in.err = b.err
	}
}

// finish waits for the end of the look. last is the last row with a cell.
func (in *inspection) finish() (last int, err error) {
	for b := range in.batches {
		in.take(b)
	}
	return in.last, in.err
}

// walk goes through a sheet, and sends what is odd every some hundred rows.
func walk(part *zip.File, out chan<- batch) (last int, err error) {
	r, err := part.Open()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	odd := map[cellAt]oddity{}
	d := xml.NewDecoder(io.LimitReader(r, maxUnpacked))
	var (
		here     cellAt
		kind     string // of the cell
		row, col int
		inValue  bool
		formula  bool
		value    []byte
		inlined  bool
		depth    int
	)
	for {
		t, err := d.RawToken()
		if err == io.EOF && depth > 0 {
			err = io.ErrUnexpectedEOF
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return last, fmt.Errorf("after row %d: %w", row, err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			depth++
			switch t.Name.Local {
			case "row":
				if row%256 == 0 && row > 0 {
					out <- batch{odd: odd, upTo: row, last: last}
					odd = map[cellAt]oddity{}
				}
				row, col = row+1, 0
				for _, a := range t.Attr {
					if a.Name.Local == "r" {
						if n, err := strconv.Atoi(a.Value); err == nil {
							row = n
						}
					}
				}
			case "c":
				here, kind, formula, inlined, value = cellAt{row, col}, "", false, false, value[:0]
				for _, a := range t.Attr {
					switch a.Name.Local {
					case "r":
						if c, _, err := excelize.CellNameToCoordinates(a.Value); err == nil {
							here.col = c - 1
						}
					case "t":
						kind = a.Value
					}
				}
				col = here.col + 1
				last = row
			case "v":
				inValue = true
			case "f":
				formula = true
			case "is":
				inlined = true
			}
		case xml.EndElement:
			depth--
			switch t.Name.Local {
			case "v":
				inValue = false
			case "c":
				switch {
				case kind == "e":
					odd[here] = oddError
				case len(value) == 0 && !inlined:
					if formula && kind != "str" {
						odd[here] = oddFormula
					}
				case kind == "" || kind == "n":
					if o := oddNumber(value); o != 0 {
						odd[here] = o
					}
				}
			}
		case xml.CharData:
			if inValue {
				value = append(value, t...)
			}
		}
	}
	out <- batch{odd: odd, upTo: row, last: last}
	return last, nil
}

// oddNumber tells a number that, as an identifier, is not what it was.
func oddNumber(v []byte) oddity {
	point := bytes.IndexByte(v, '.')
	whole := v
	if point >= 0 {
		whole = v[:point]
	}
	switch {
	case bytes.ContainsAny(v, "Ee"):
		return oddLong
	case len(bytes.TrimLeft(whole, "-0")) > 15:
		return oddLong
	case point > 0 && len(bytes.Trim(v[point+1:], "0")) == 0:
		return oddZeros
	}
	return 0
}

// wellFormed reads a part to its end.
func wellFormed(part *zip.File) error {
	r, err := part.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	d := xml.NewDecoder(io.LimitReader(r, maxUnpacked))
	for {
		if _, err := d.Token(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// sheetSource gives the rows of a sheet.
type sheetSource struct {
	rows  *excelize.Rows
	row   int
	cells [][]byte
	buf   []byte
	err   error
}

func (w *workbook) source(sheet string) (*sheetSource, error) {
	rows, err := w.Rows(sheet)
	if err != nil {
		return nil, err
	}
	return &sheetSource{rows: rows}, nil
}

func (s *sheetSource) next() (cells [][]byte, row int, bad *Problem, ok bool) {
	if !s.rows.Next() {
		s.err = s.rows.Error()
		return nil, s.row, nil, false
	}
	s.row++
	texts, err := s.rows.Columns()
	if err != nil {
		s.err = err
		return nil, s.row, nil, false
	}
	s.cells, s.buf = s.cells[:0], s.buf[:0]
	for _, t := range texts {
		s.buf = append(s.buf, t...)
	}
	from := 0
	for _, t := range texts {
		s.cells = append(s.cells, s.buf[from:from+len(t)])
		from += len(t)
	}
	return s.cells, s.row, nil, true
}

func (s *sheetSource) fault() error { return s.err }
func (s *sheetSource) reached() int { return s.row }
func (s *sheetSource) close() error { return s.rows.Close() }

// fifteen gives a number with no more digits than a binary one keeps.
func fifteen(s string) (string, bool) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s, false
	}
	return strconv.FormatFloat(f, 'g', 15, 64), true
}
