-- Lock an environment that nobody has locked: whether it is ours, and its lock. The same lock by the
-- same person once more is ours. `lasts` in milliseconds from now, or `ends` since 1970, or neither.
-- @include clock
-- @include keys
-- @arguments environment what lasts ends
local key = KEY.LOCKED .. environment
local lock = cjson.decode(what)
local there = redis.call('GET', key)
if there then
  local known = cjson.decode(there)
  local same = known.kind == lock.kind and known.by == lock.by and known.reason == lock.reason
  return {same and 1 or 0, there}
end
lock.at = now()
if lasts ~= '' then ends = text(lock.at + tonumber(lasts)) end
if ends ~= '' then lock.expires_at = tonumber(ends) end
local written = cjson.encode(lock)
redis.call('SET', key, written)
if ends ~= '' then redis.call('PEXPIREAT', key, ends) end
return {1, written}
