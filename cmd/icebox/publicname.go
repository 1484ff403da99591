package main

import (
	"net/netip"

	"icebox/config"
	"icebox/web"
)

// publicName is the name or address under which others reach this box: the
// domain, else the static public address, else lan.
func publicName(cfg *config.Config, lan netip.Addr) (string, error) {
	if a := staticAddress(cfg); cfg.Domain == "" && a.IsValid() {
		return a.String(), nil
	}
	return web.PublicHost(cfg, lan.String())
}

// publicPage is the landing page that others reach: public.url, else that of the
// domain, else that of the static public address, else nothing.
func publicPage(cfg *config.Config, scheme string, port int) string {
	if page := web.PublicURL(cfg, scheme, port); page != "" {
		return page
	}
	if a := staticAddress(cfg); a.IsValid() {
		return web.PageURL(scheme, a.String(), port)
	}
	return ""
}

// staticAddress is the public address that the configuration gives, the IPv4 one
// first, where it is in force.
func staticAddress(cfg *config.Config) netip.Addr {
	switch {
	case cfg.Public.Source == "interface":
		return netip.Addr{}
	case cfg.Public.IPv4.IsValid():
		return cfg.Public.IPv4
	}
	return cfg.Public.IPv6
}
