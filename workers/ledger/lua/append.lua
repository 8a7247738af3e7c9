-- Add text to a run's log; the oldest goes when the log is over its size. The answer: the entry's
-- id, then source and text of what went, but for what a spool or a part has: it is
-- marked, or not after the entry `mark` (by default the end of the last part).
-- @include keys
-- @arguments id fence source chunk limit spooled mark
limit = tonumber(limit)
if redis.call('HGET', run_key(id), 'fence') ~= fence then return {''} end
local key = KEY.LOG .. id
local fields = {'s', source, 't', chunk}
if spooled == '1' then fields = {'s', source, 't', chunk, 'w', '1'} end
local answer = {redis.call('XADD', key, '*', unpack(fields))}

local function parts(entry)
  local at, number = string.match(entry, '(%d+)-(%d+)')
  return tonumber(at), tonumber(number)
end
if mark == '' then mark = redis.call('HGET', run_key(id), 'log_mark') or '0-0' end
local marked_at, marked_number = parts(mark)

local function only_here(entry)
  if entry[2][5] == 'w' then return false end
  local at, number = parts(entry[1])
  return at > marked_at or (at == marked_at and number > marked_number)
end

local size = redis.call('HINCRBY', run_key(id), 'log_size', #chunk)
while size > limit do
  local oldest = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
  if not oldest then break end
  redis.call('XDEL', key, oldest[1])
  redis.call('HINCRBY', run_key(id), 'log_cut', #oldest[2][4])
  size = redis.call('HINCRBY', run_key(id), 'log_size', -#oldest[2][4])
  if only_here(oldest) then
    answer[#answer + 1] = oldest[2][2]
    answer[#answer + 1] = oldest[2][4]
  end
end
return answer
