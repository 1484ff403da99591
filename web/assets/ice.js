// The STUN and TURN servers of the box, from api/ice.

// askForServers asks once. login is {user, password} or null. The answer has the
// HTTP status, 0 where the box was not reached; servers, of which STUN is there
// without a login too; ttl in seconds; and retryAfter in seconds.
export async function askForServers(login) {
  const headers = { 'X-Requested-With': 'icebox' };
  if (login) headers.Authorization = basic(login.user, login.password);
  try {
    const answer = await fetch('api/ice', { headers, cache: 'no-store', credentials: 'omit' });
    const body = await answer.json();
    return {
      status: answer.status,
      servers: body.iceServers ?? [],
      ttl: body.ttl ?? 0,
      retryAfter: Number(answer.headers.get('Retry-After')) || 5,
    };
  } catch {
    return { status: 0, servers: [], ttl: 0, retryAfter: 5 };
  }
}

// basic is RFC 7617 with charset UTF-8; btoa alone takes Latin-1 only.
export function basic(user, password) {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

// renewal is how many ms after an answer the next is asked for: well before its
// credentials end, once a day at least, and never in a hurry.
export function renewal(ttl) {
  return Math.min(Math.max(ttl * 0.75, 30), 86_400) * 1_000;
}
