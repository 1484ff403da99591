"""Two ICE agents that may use relays alone reach each other through a TURN server.

    relay.py HOST PORT USER PASSWORD udp|tcp|tls

It prints one line, how many bytes came through, and fails where one is missing.
"""

import asyncio
import sys

import aioice

ROUNDS = 50


async def agent(controlling, server, transport):
    host, port, user, password = server
    connection = aioice.Connection(
        ice_controlling=controlling,
        turn_server=(host, int(port)),
        turn_username=user,
        turn_password=password,
        turn_transport="udp" if transport == "udp" else "tcp",
        turn_ssl=transport == "tls",
        use_ipv6=False,
        transport_policy=aioice.TransportPolicy.RELAY,
    )
    await connection.gather_candidates()
    kinds = [candidate.type for candidate in connection.local_candidates]
    if kinds != ["relay"]:
        raise SystemExit(f"candidates: {kinds}, want one relay")
    return connection


async def introduce(one, other):
    for candidate in one.local_candidates:
        await other.add_remote_candidate(candidate)
    await other.add_remote_candidate(None)
    other.remote_username = one.local_username
    other.remote_password = one.local_password


async def carry(source, target, message):
    await source.send(message)
    got = await target.recv()
    if got != message:
        raise SystemExit(f"{len(got)} bytes, or others than were sent: want {len(message)}")
    return len(got)


async def main(*server, transport):
    alice = await agent(True, server, transport)
    bob = await agent(False, server, transport)
    await introduce(alice, bob)
    await introduce(bob, alice)
    await asyncio.gather(alice.connect(), bob.connect())
    total = 0
    for i in range(ROUNDS):
        message = bytes([i]) * (1 + 20 * i)
        total += await carry(alice, bob, message)
        total += await carry(bob, alice, message)
    await asyncio.gather(alice.close(), bob.close())
    print(total)


asyncio.run(asyncio.wait_for(main(*sys.argv[1:5], transport=sys.argv[5]), 20))
