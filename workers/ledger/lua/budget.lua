-- The turn of one more call within a budget: the milliseconds until it may be made. `rate` calls at
-- most have their turn in any one second, none during a pause.
-- @include keys
-- @arguments name rate
rate = tonumber(rate)
local key = KEY.BUDGET .. name
local t = redis.call('TIME')
local at = t[1] * 1000 + t[2] / 1000
local newest = redis.call('LINDEX', key, 0)
-- Turns that far away come from a clock that has been set back since.
if newest and tonumber(newest) > at + 120000 then redis.call('DEL', key) end
local turn = at
local before = redis.call('LINDEX', key, rate - 1)
if before then turn = math.max(turn, tonumber(before) + 1000) end
local pause = redis.call('PTTL', key .. ':pause')
if pause > 0 then turn = math.max(turn, at + pause) end
redis.call('LPUSH', key, string.format('%.3f', turn))
redis.call('LTRIM', key, 0, rate - 1)
redis.call('PEXPIRE', key, 300000)
return string.format('%.3f', turn - at)
