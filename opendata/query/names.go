package query

import (
	"sync"
	"time"

	"sluice/books"
)

// vocabulary caches the city's words.
type vocabulary struct {
	mu    sync.Mutex
	words books.Vocabulary // guarded by mu
	read  time.Time        // guarded by mu
}

// Names are the council's words for what the policy names by an id; none while the books
// have none, and those of before while they cannot be read.
func (s *Source) Names() books.Vocabulary {
	s.names.mu.Lock()
	defer s.names.mu.Unlock()
	if time.Since(s.names.read) < fresh {
		return s.names.words
	}
	if city, err := s.Books.City(); err == nil {
		s.names.words = city.Names
	}
	s.names.read = time.Now()
	return s.names.words
}
