package web

import (
	"maps"
	"net"
	"net/url"
	"strconv"
	"time"

	"icebox/config"
)

// ICE is what a browser needs to use the box: the answer of /api/ice and what
// `icebox cred` prints.
type ICE struct {
	// Servers go into the iceServers of an RTCPeerConnection as they are.
	Servers []ICEServer `json:"iceServers"`
	// TTL is the lifetime of the credentials in seconds. 0: without credentials.
	TTL int `json:"ttl,omitempty"`
}

// ICEServer is an RTCIceServer of the WebRTC API (§4.2.4 there).
type ICEServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// Credentials are those of one TURN user. The zero value has none.
type Credentials struct {
	Username, Password string
	TTL                time.Duration
}

// ICEServers lists the STUN and TURN listeners of cfg, as they are reached at
// hosts. listening has their real addresses in the order of cfg.TURN.Listen; nil:
// as configured. Without credentials only STUN is listed. TURN over TLS is listed
// where the certificate is trusted: a browser has no way to click an unknown one
// through for TURN. What is reached in the box's own network goes last.
func ICEServers(cfg *config.Config, listening []net.Addr, hosts Hosts, cred Credentials, trusted bool) ICE {
	servers := []ICEServer{} // JSON has a list where there are none, which browsers take; not null
	inside := insidePorts(cfg, listening)
	ports := outsidePorts(cfg, listening, inside)
	if port, ok := ports["udp"]; ok {
		servers = append(servers, ICEServer{URLs: []string{"stun:" + net.JoinHostPort(hosts.Public, port)}})
	}
	if cred.Username == "" {
		return ICE{Servers: servers}
	}
	urls := turnAt(hosts.Public, ports)
	if port := tlsPort(cfg, ports); port != "" && trusted {
		urls = append(urls, "turns:"+net.JoinHostPort(hosts.Public, port)+"?transport=tcp")
	}
	if hosts.LAN.IsValid() {
		urls = append(urls, turnAt(hosts.LAN.String(), inside)...)
	}
	if len(urls) > 0 {
		servers = append(servers, ICEServer{URLs: urls, Username: cred.Username, Credential: cred.Password})
	}
	return ICE{Servers: servers, TTL: int(cred.TTL / time.Second)}
}

// tlsPort is where TURN is served over TLS, as the internet sees it: the first
// tls listener's, else the signaling port, which is that of public.url where one
// is given. Empty: nowhere. Behind a public.url of http nothing but HTTP is
// spoken.
func tlsPort(cfg *config.Config, ports map[string]string) string {
	if port, ok := ports["tls"]; ok || cfg.TLS.Source == "off" {
		return port
	}
	if outside, err := url.Parse(cfg.Public.URL); err == nil && outside.Host != "" {
		switch {
		case outside.Scheme != "https":
			return ""
		case outside.Port() == "":
			return "443"
		}
		return outside.Port()
	}
	_, port, err := net.SplitHostPort(cfg.Signaling.Listen)
	if err != nil || port == "0" {
		return ""
	}
	return port
}

// turnAt is the URLs of TURN over UDP and TCP at host.
func turnAt(host string, ports map[string]string) []string {
	var urls []string
	for _, network := range []string{"udp", "tcp"} {
		if port, ok := ports[network]; ok {
			urls = append(urls, "turn:"+net.JoinHostPort(host, port)+"?transport="+network)
		}
	}
	return urls
}

// insidePorts is the port of the first listener of each network.
func insidePorts(cfg *config.Config, listening []net.Addr) map[string]string {
	ports := make(map[string]string)
	for i, l := range cfg.TURN.Listen {
		address := l.Address
		if i < len(listening) {
			address = listening[i].String()
		}
		_, port, err := net.SplitHostPort(address)
		if _, seen := ports[l.Network]; err == nil && !seen {
			ports[l.Network] = port
		}
	}
	return ports
}

// outsidePorts is inside as the internet sees it: public.turn_port stands for one
// port, whatever the network, since a router forwards it by number.
func outsidePorts(cfg *config.Config, listening []net.Addr, inside map[string]string) map[string]string {
	if cfg.Public.TURNPort == 0 {
		return inside
	}
	forwarded := strconv.Itoa(ForwardedPort(cfg, listening))
	ports := maps.Clone(inside)
	for network, port := range ports {
		if port == forwarded {
			ports[network] = strconv.Itoa(cfg.Public.TURNPort)
		}
	}
	return ports
}

// ForwardedPort is the port of this box that public.turn_port stands for: that of
// the first udp listener, without one 3478. listening is that of ICEServers.
func ForwardedPort(cfg *config.Config, listening []net.Addr) int {
	port, err := strconv.Atoi(insidePorts(cfg, listening)["udp"])
	if err != nil {
		return 3478
	}
	return port
}
