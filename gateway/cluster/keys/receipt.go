package keys

import (
	"errors"
	"time"

	"sluice/gateway/cluster/roster"
)

// Receipt says that a member has overwritten what it had of an epoch's keys. It is for the public books.
type Receipt struct {
	Shred  string    `json:"shred"` // the epoch
	Member string    `json:"member"`
	At     time.Time `json:"at"`
	SHA256 string    `json:"sha256"` // of the commitment, which says which keys they were
}

// ReceiptSpace is what the signature of a receipt is for.
const ReceiptSpace = "sluice-shred"

var errReceipt = errors.New("this is no receipt that a member of the roster has signed for itself")

func (r *Receipt) sign(me *roster.Me) ([]byte, error) {
	raw, err := line(r)
	if err != nil {
		return nil, err
	}
	return me.Sign(ReceiptSpace, raw)
}

// ReadReceipt reads a receipt as it was signed.
func ReadReceipt(r *roster.Roster, signed []byte) (Receipt, error) {
	m, raw, err := r.Open(ReceiptSpace, signed)
	var is Receipt
	if err != nil || read(raw, &is) != nil || is.Member != m.Name {
		return Receipt{}, errReceipt
	}
	return is, nil
}
