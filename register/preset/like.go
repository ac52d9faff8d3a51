package preset

import (
	"cmp"
	"errors"
	"reflect"

	"sluice/internal/yamldoc"
)

// ParsePreset reads a preset; the file's name is used in errors only, which show all that is wrong, with its line.
func ParsePreset(file string, raw []byte) (*Preset, error) {
	p := &Preset{}
	if err := yamldoc.Decode(file, raw, p); err != nil {
		return nil, err
	}
	if err := unfilled(file, raw); err != nil {
		return nil, err
	}
	if p.Like != "" {
		like, err := p.liken()
		if err != nil {
			return nil, mistakes{under(err, "like", "like")}.in(file, raw)
		}
		p = like
	}
	if err := p.check().in(file, raw); err != nil {
		return nil, err
	}
	return p, nil
}

// liken is the preset that one is like, with its own topics.
func (p *Preset) liken() (*Preset, error) {
	raw, err := own.ReadFile(p.Like + ".yaml")
	if err != nil {
		return nil, errors.New("no preset of the program has this name")
	}
	of, err := ParsePreset(p.Like+".yaml", raw)
	if err != nil {
		return nil, err
	}
	all := &Preset{ID: p.ID, About: p.About, Like: p.Like, Topics: p.Topics}
	if !reflect.DeepEqual(p, all) {
		return nil, errors.New("a preset that is like another has topics of its own, and nothing else but about; " +
			"copy the other's file to change more")
	}
	of.ID, of.About, of.Like, of.Topics = p.ID, cmp.Or(p.About, of.About), p.Like, p.Topics
	return of, nil
}
