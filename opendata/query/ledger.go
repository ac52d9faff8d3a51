package query

import "sluice/books"

// Ledger is one gateway's ledger, and its books.
type Ledger struct {
	Books   books.Reader
	Entries []books.Entry
}

// Ledgers returns the ledgers of all gateways, and the names of the gateways whose ledger
// cannot be read. It fails if none can be.
func (s *Source) Ledgers() (list []Ledger, missing []string, err error) {
	if _, err := s.Books.City(); err != nil { // nobody's books are there
		return nil, nil, err
	}
	gateways, err := s.Books.Gateways()
	if err != nil {
		return nil, nil, err
	}
	var problem error
	for _, g := range gateways {
		r := books.Reader{Source: g.Source}
		entries, err := r.Ledger()
		if err != nil {
			missing, problem = append(missing, g.Name), err
			continue
		}
		list = append(list, Ledger{r, entries})
	}
	if len(list) == 0 {
		return nil, nil, problem
	}
	return list, missing, nil
}
