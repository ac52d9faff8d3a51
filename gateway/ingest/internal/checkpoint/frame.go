package checkpoint

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
)

const frameHeader = 6

var errFrame = errors.New("checkpoint: a frame is cut off")

// appendFrame seals a record with its own key, which is made where it is new.
func (k *Keys) appendFrame(plain []byte, r *Record) ([]byte, error) {
	if !r.Kind.sealed() {
		return framed(plain, r, nil), nil
	}
	if _, err := k.Make(r.Name); err != nil {
		return nil, err
	}
	seal := k.seal(r.Name)
	if seal == nil {
		return nil, errors.New("a key cannot be used")
	}
	return framed(plain, r, seal), nil
}

// framed appends a frame; without a seal its body is as it is.
func framed(plain []byte, r *Record, seal cipher.AEAD) []byte {
	plain = append(plain, byte(r.Kind), byte(len(r.Name)))
	plain = append(plain, r.Name...)
	at := len(plain)
	plain = append(plain, 0, 0, 0, 0)
	if seal == nil {
		plain = append(plain, r.Body...)
	} else {
		plain = seal.Seal(plain, nil, r.Body, []byte(r.Name))
	}
	binary.BigEndian.PutUint32(plain[at:], uint32(len(plain)-at-4))
	return plain
}

// frame is one record as it is in a block, its body still sealed.
type frame struct {
	kind Kind
	name string
	raw  []byte // all of it
	body []byte
}

// frames hands out the frames of a commit.
func frames(plain []byte, each func(frame) error) error {
	for len(plain) >= frameHeader && plain[0] != 0 {
		name := int(plain[1])
		if len(plain) < frameHeader+name {
			return errFrame
		}
		size := int(binary.BigEndian.Uint32(plain[2+name:]))
		whole := frameHeader + name + size
		if whole > len(plain) {
			return errFrame
		}
		f := frame{Kind(plain[0]), string(plain[2 : 2+name]), plain[:whole], plain[frameHeader+name : whole]}
		plain = plain[whole:]
		if err := each(f); err != nil {
			return err
		}
	}
	return nil
}

// record opens a frame; its body is Lost when its key is gone.
func (k *Keys) record(f frame) Record {
	r := Record{Kind: f.kind, Name: f.name, Body: f.body}
	if !f.kind.sealed() {
		return r
	}
	r.Body, r.Lost = nil, true
	if seal := k.seal(f.name); seal != nil {
		body, err := seal.Open(f.body[:0], nil, f.body, []byte(f.name))
		if err == nil {
			r.Body, r.Lost = body, false
		}
	}
	return r
}
