package preset

import (
	"errors"

	"sluice/internal/yamldoc"
)

// mistake is what is wrong at a place of a file: keys and indexes from the top.
type mistake struct {
	path []string
	text string
}

func (m *mistake) Error() string { return m.text }

// wrong is a mistake at a place.
func wrong(text string, path ...string) error { return &mistake{path, text} }

// under puts a mistake below a place, of which something is said in front; nil for none.
func under(err error, said string, path ...string) error {
	if err == nil {
		return nil
	}
	if inner, ok := errors.AsType[*mistake](err); ok {
		path = append(path, inner.path...)
	}
	return &mistake{path, said + ": " + err.Error()}
}

// mistakes are all of a file.
type mistakes []error

// add adds one, where there is one.
func (m *mistakes) add(err error) {
	if err != nil {
		*m = append(*m, err)
	}
}

// in shows each in its file; nil for none.
func (m mistakes) in(file string, raw []byte) error {
	for i, err := range m {
		var at []string
		if one, ok := errors.AsType[*mistake](err); ok {
			at = one.path
		}
		m[i] = yamldoc.Wrong(file, raw, err.Error(), at...)
	}
	return errors.Join(m...)
}

// unfilled refuses a file with a key that has no value: who has written counter: means a counter.
func unfilled(file string, raw []byte) error {
	path, found := yamldoc.Empty(raw)
	if !found {
		return nil
	}
	return yamldoc.Wrong(file, raw, "there is no value here: write one, or take the key out", path...)
}
