package certs

import (
	"crypto/x509"
	"errors"
	"time"
)

// use puts p in force, judged for the name that clients ask for. It logs what
// they will think of it when that is news. s.mu is held.
func (s *Source) use(p *pair) {
	next := &inForce{pair: p, distrust: s.judge(p, s.used.host)}
	last := s.current.Swap(next)
	switch {
	case last == nil || last.pair != p:
		s.announce(next)
	case (last.distrust == nil) != (next.distrust == nil):
		s.announceTrust(next)
	}
}

// judge returns why the system's roots do not vouch for p: for host, or without
// one for the names that are in it (RFC 5280 section 6).
func (s *Source) judge(p *pair, host string) error {
	leaf := p.cert.Leaf
	if len(leaf.DNSNames)+len(leaf.IPAddresses) == 0 {
		return errors.New("there is no name in it")
	}
	chain := x509.NewCertPool()
	for _, der := range p.cert.Certificate[1:] {
		if c, err := x509.ParseCertificate(der); err == nil {
			chain.AddCert(c)
		}
	}
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Intermediates: chain, Roots: s.roots})
	return err
}

func (s *Source) announce(c *inForce) {
	leaf := c.cert.Leaf
	s.log.Info("certificate in force", "source", c.source, "names", leaf.DNSNames,
		"until", leaf.NotAfter, "trusted", c.distrust == nil)
	if c.source == sourceSelfSigned {
		s.announceClock(leaf)
		return // nobody expects it to be trusted
	}
	if host := s.used.host; host != "" && leaf.VerifyHostname(host) != nil {
		s.log.Warn("the certificate is not for the domain", "domain", host, "names", leaf.DNSNames)
	}
	if isEd25519(leaf) {
		s.log.Warn("browsers take no certificate with an Ed25519 key: use ECDSA P-256 or RSA")
	}
	if err := c.checkTime(time.Now()); err != nil {
		s.log.Error("the certificate is not good now", "err", err)
	} else if c.distrust != nil {
		s.announceTrust(c)
	}
}

// announceClock warns where a certificate that this box has signed is not good
// yet.
func (s *Source) announceClock(leaf *x509.Certificate) {
	if time.Now().Before(leaf.NotBefore) {
		s.log.Warn("the self-signed certificate is from the future: the clock of this box may be wrong; if it is right, delete "+
			stateCert+" in state_dir and start again", "from", leaf.NotBefore)
	}
}

func (s *Source) announceTrust(c *inForce) {
	if c.distrust == nil {
		s.log.Info("the certificate is trusted now")
		return
	}
	s.log.Warn("browsers do not trust the certificate"+trustHint(c.cert, c.distrust), "err", c.distrust)
}
