-- Take the ledger of the version before over, all in one step: its keys get the prefix of now, and at
-- its own names it finds what it can't read or write. Answers the ledger's schema, and how many keys
-- were renamed. `containers` and `texts` are names that it looks at, by what it expects there.
-- @arguments schema prefix former notice containers texts
local found = redis.call('GET', KEYS[1])
if found then return {found, 0} end
-- First of all, for Redis refuses this one where memory is short.
redis.call('SET', KEYS[1], schema)

local function bar(name, is_text)
  if is_text then redis.call('RPUSH', former .. name, notice)
  else redis.call('SET', former .. name, notice) end
end

-- Some values are names of keys.
local function renamed(name)
  return string.sub(name, 1, #former) == former and prefix .. string.sub(name, #former + 1) or name
end

local count, heads, environments = 0, {}, {}
local function take(name)
  local rest = string.sub(name, #former + 1)
  -- A key may be found twice, or have expired.
  if redis.pcall('RENAME', name, prefix .. rest).err then return end
  count = count + 1
  local kind, what = string.match(rest, '^(%w+):(.*)$')
  if kind == 'run' then
    local values = redis.call('HMGET', prefix .. rest, 'branch', 'repository')
    if values[1] and values[2] then
      redis.call('HSET', prefix .. rest, 'branch', renamed(values[1]), 'repository', renamed(values[2]))
    end
  elseif kind == 'checked' then
    heads[#heads + 1] = rest
  elseif kind == 'released' or kind == 'locked' or kind == 'held' then
    environments[what] = true
  end
end

local cursor = '0'
repeat
  local page = redis.call('SCAN', cursor, 'MATCH', former .. '*', 'COUNT', 1000)
  cursor = page[1]
  for _, name in ipairs(page[2]) do
    if string.sub(name, 1, #prefix) ~= prefix then take(name) end
  end
until cursor == '0'

for _, index in ipairs(redis.call('SMEMBERS', KEY.BRANCHES)) do
  redis.call('SREM', KEY.BRANCHES, index)
  redis.call('SADD', KEY.BRANCHES, renamed(index))
end
local tips = redis.call('HGETALL', KEY.TIPS)
for i = 1, #tips, 2 do
  redis.call('HDEL', KEY.TIPS, tips[i])
  redis.call('HSET', KEY.TIPS, renamed(tips[i]), tips[i + 1])
end

-- Where there was nothing, there is nobody to be kept out.
if count == 0 then return {schema, 0} end
for _, environment in ipairs(redis.call('HKEYS', KEY.OBSERVED)) do environments[environment] = true end
for environment in pairs(environments) do bar('locked:' .. environment, true) end
for _, head in ipairs(heads) do bar(head, false) end
for _, name in ipairs(cjson.decode(containers)) do bar(name, false) end
for _, name in ipairs(cjson.decode(texts)) do bar(name, true) end
return {schema, count}
