-- Ask for a look at an environment: when that was asked, now or by somebody a moment ago. A worker's
-- bell rings again after `patience` milliseconds without an answer.
-- @include clock
-- @include keys
-- @arguments environment broker_queue message patience
local key = KEY.LOOK .. environment
local asked = redis.call('GET', key)
if asked then return asked end
local at = text(now())
redis.call('SET', key, at, 'PX', patience)
redis.call('LPUSH', broker_queue, message)
return at
