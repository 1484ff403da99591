// Connects two RTCPeerConnections of this page over relays alone, at this one URL
// of those that /api/ice gives, and sends messages there and back.
async (user, password, url) => {
  const answer = await fetch('/api/ice', { headers: { Authorization: 'Basic ' + btoa(user + ':' + password) } })
  const server = (await answer.json()).iceServers.find(s => s.username)
  const config = { iceServers: [{ ...server, urls: [url] }], iceTransportPolicy: 'relay' }
  const [a, b] = [new RTCPeerConnection(config), new RTCPeerConnection(config)]
  try {
    a.onicecandidate = e => b.addIceCandidate(e.candidate)
    b.onicecandidate = e => a.addIceCandidate(e.candidate)
    b.ondatachannel = e => { e.channel.onmessage = m => e.channel.send(m.data) }
    const channel = a.createDataChannel('there and back')
    channel.binaryType = 'arraybuffer'
    await a.setLocalDescription()
    await b.setRemoteDescription(a.localDescription)
    await b.setLocalDescription()
    await a.setRemoteDescription(b.localDescription)
    await new Promise((resolve, reject) => { channel.onopen = resolve; channel.onerror = reject })

    let bytes = 0
    for (let i = 0; i < 50; i++) {
      const message = new Uint8Array(1 + 40 * i).fill(i)
      const back = new Promise(resolve => { channel.onmessage = m => resolve(new Uint8Array(m.data)) })
      channel.send(message)
      const got = await back
      if (got.length !== message.length || got.some(x => x !== i)) throw new Error(`message ${i} has changed`)
      bytes += got.length
    }
    return { URLs: server.urls, Protocols: [await protocol(a), await protocol(b)], Bytes: bytes }
  } finally {
    a.close()
    b.close()
  }

  // protocol is how pc reaches the relay of its selected pair.
  async function protocol(pc) {
    const stats = await pc.getStats()
    const transport = [...stats.values()].find(s => s.type === 'transport')
    const local = stats.get(stats.get(transport.selectedCandidatePairId).localCandidateId)
    return local.candidateType === 'relay' ? local.relayProtocol : local.candidateType
  }
}
