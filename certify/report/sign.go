package report

import (
	"sluice/policy/ballot"
	"sluice/policy/ballot/signers"
)

// Namespace is what the signature of a report is for (ssh-keygen -Y sign -n).
const Namespace = "sluice-certificate"

// Sign signs a report's bytes with a private key in OpenSSH's form without a passphrase. The result is
// the file that ssh-keygen -Y sign would write.
func Sign(private, raw []byte) ([]byte, error) {
	sig, err := ballot.Sign(private, raw, Namespace)
	if err != nil {
		return nil, err
	}
	return sig.File(), nil
}

// Verify says who of the signers has signed a report's bytes.
func Verify(raw, signature []byte, list []signers.Signer) (signers.Signer, error) {
	return signers.By(raw, signature, Namespace, list)
}
