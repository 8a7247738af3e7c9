-- What is told of a branch's head.
-- @include clock
-- @include keys
-- @include run

-- Remember where a branch is said to be now: `after`, '' for nowhere. `branch` is the index of its
-- runs; `sure` is what was asked for just now, which no delivery that comes late contradicts.
local MOST_HEADS = 20
local function told_head(name, branch, before, after, forced, sure, at)
  local heads = cjson.decode(redis.call('HGET', KEY.HEADS, name) or '[]')
  local last, seen = heads[#heads], false
  for _, one in ipairs(heads) do
    if one[1] == after or one[2] == after then seen = true end
  end
  if last and last[2] == after then return end
  -- Deliveries overtake each other: what has been passed already is the branch again only when it
  -- is reset from where it is now.
  if seen and not sure and last[2] ~= before then return end
  heads[#heads + 1] = {before, after, forced}
  if #heads > MOST_HEADS then table.remove(heads, 1) end
  redis.call('HSET', KEY.HEADS, name, cjson.encode(heads))
  if forced ~= '1' then return end
  -- Whoever asks people about a commit that may be gone looks again.
  for _, id in ipairs(redis.call('ZREVRANGE', branch, 0, 19)) do
    if asks(id) then redis.call('ZADD', KEY.DUE, text(at), id) end
  end
end
