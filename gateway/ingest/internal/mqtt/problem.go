package mqtt

import (
	"crypto/tls"
	"errors"
	"net"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// problem says what is wrong in words of ours.
func problem(err error) string {
	var op *net.OpError
	switch {
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(err, packets.ErrorRefusedNotAuthorised):
		return "the broker refuses the gateway's user name or password; see mqtt.username and mqtt.password_file"
	case errors.Is(err, packets.ErrorRefusedIDRejected):
		return "the broker refuses the gateway's client id; see mqtt.client_id"
	case errors.Is(err, errRefusedTopics):
		return err.Error()
	case errors.Is(err, errRival):
		return errRival.Error()
	case errors.Is(err, errImpossible):
		return errImpossible.Error()
	case errors.Is(err, errSilent):
		return errSilent.Error()
	case errors.As(err, &op) && op.Op == "dial":
		return "nobody answers at the broker's address; start the broker, or mend mqtt.broker"
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return "the broker's certificate cannot be verified; see mqtt.ca"
	}
	return "the connection to the broker broke"
}

var (
	errRefusedTopics = errors.New(
		"the broker does not let the gateway read its topics; give its user an access list with sluice sensor acl")
	errSilent = errors.New("the broker does not answer; see its log")
	errRival  = errors.New("somebody else uses the gateway's client id at the broker, and takes its " +
		"messages; give each gateway, and each tool, an id of its own (mqtt.client_id)")
	errNoMarker = errors.New("what the gateway publishes to itself does not come back, so that windows wait; " +
		"let its user read and write city/v1/# (sluice sensor acl writes that list). It may also be a long backlog")
)

// perhaps is what else may keep markers back where subscriptions are shared.
func (c *Config) perhaps() string {
	if !c.Shared {
		return ""
	}
	return ", or a broker without shared subscriptions ($share): then give each front a broker of its own, and " +
		"mqtt: {share: false}"
}
