// Counts the relays that an RTCPeerConnection finds at this URL.
async (user, password, url) => {
  const pc = new RTCPeerConnection({
    iceServers: [{ urls: [url], username: user, credential: password }], iceTransportPolicy: 'relay',
  })
  try {
    let relays = 0
    const all = new Promise(resolve => {
      pc.onicecandidate = e => { if (!e.candidate) resolve(); else if (e.candidate.type === 'relay') relays++ }
    })
    pc.createDataChannel('')
    await pc.setLocalDescription()
    await all
    return relays
  } finally {
    pc.close()
  }
}
