"""Given names that are written in more than one way: short forms, pet names and spellings across languages.

Each line is one name: its usual form first, then how else the same person may give it. The table was written for
this project from everyday names in English, German, French, Spanish, Italian, Dutch, Scandinavian and Slavic use. A
form that belongs to two names (Alex: Alexander, Alexandra) stands under each of them, and is then compatible with
both while the two stay apart.
"""

from __future__ import annotations

from collections import defaultdict

_NAMES = """
abigail abby abbie gail abi
adelaide addie adele adelheid heidi
agnes aggie agneta nessie ines
aidan aiden adan
alan allan allen alain al
albert al bert bertie alberto albrecht
alexander alex alec xander sandy sasha aleksander alejandro alessandro alexandre sascha lex sander
alexandra alex sandra lexi sasha aleksandra alejandra alessandra sandy
alfred alf alfie fred alfredo
alice ali alicia alys
amanda mandy manda
amelia amy millie emilia amalia
andrew andy drew andreas andre andrea andres andrzej anders
angela angie ange angelika angelica
anna ann anne annie hannah ana anya anja anneke annika anita
anthony tony ant antony antonio anton antoine antoni
antonia toni antonie antoinette tonia
archibald archie
arthur art artie arturo artur
augustus gus august auguste
barbara barb babs barbie bobbie
bartholomew bart barth
beatrice bea trixie beatrix beatriz
benjamin ben benny benji
bernard bernie bernhard bernardo
bertram bert bertie
bethany beth
bradley brad
brenda bren
brian bryan brayan
bridget biddy bridie brigitte birgit brigid
calvin cal
cameron cam
carl karl carlo carlos
caroline carol carrie carolyn karoline carolina caro
catherine cathy kate katie kathryn katherine cath kathy kitty katharina katarina catalina caterina katrin
cecilia cecily cissy celia cecile
charles charlie chuck chas karl carlos carlo karel
charlotte charlie lottie lotte carlotta charlott
chelsea chels
chester chet
christian chris kristian cristian christiaan
christina chris tina chrissie christine kristina kirsten christa cristina kirsty
christopher chris kit topher christoph christophe cristobal kristoffer christoffer
clara claire clare klara clair
clifford cliff
clive clyve
constance connie constanze
cornelius neil cor cornelis kees
curtis curt kurt
cynthia cindy
daniel dan danny daniele
daniela dani danielle daniella
david dave davy davey davide dawid
deborah debbie deb debra debora
denise dee denis
dennis denny den denis
derek del derrick dirk
diana di diane dianne
dominic dom nick dominik dominique domenico
donald don donny
dorothy dot dottie dolly dora dorothea dorothee
douglas doug dougie
duncan dunc
edmund ed eddie ned edmond
edward ed eddie ted teddy ned eduard eduardo edouard
edwin ed eddie
eileen aileen
eleanor ellie nell nora eleonore elinor leonora leonor lenore elena
elizabeth liz lizzie beth betty bess eliza elisabeth lisa elsie lizbeth libby elise isabel elisabetta lisbeth bettina
ellen nell nellie helen elle
emily em emmy millie emilie
emma em emmy
eric erik rick erich
ernest ernie ernst ernesto
esther essie ester hester
eugene gene eugen eugenio
evelyn evie eve eva
ezekiel zeke
felicity flick fliss
ferdinand ferdy fernando nando
florence flo flossie florrie
frances fran frankie francesca franziska fanny francoise francisca
francis frank frankie francesco francisco francois franz paco franciszek frans
franklin frank
frederick fred freddie freddy friedrich fritz federico frederic rick frederik fredrik
gabriel gabe gabriele
gabrielle gabby gaby gabriela gabriella
gary gaz garry
geoffrey geoff jeff jeffrey jeffery godfrey gottfried
george georgie georg jorge giorgio jurgen georges yuri jerzy
georgina georgie gina georgia
gerald gerry jerry gerhard geraldo gerard
geraldine gerry
gertrude gertie trudy gert
gilbert gil bert gilberto
giovanna gianna
giuseppe beppe peppe joseph
gordon gordy
grace gracie
graham grahame graeme
gregory greg gregor gregorio
gwendolyn gwen wendy
hannah hanna hana
harold harry hal harald
harriet hattie harriette henrietta
harry harrison henry
heather hev
helen nell helena helene elena ellen lena
henry harry hank hal heinrich heinz enrique enrico henri hendrik henk
herbert herb bert heribert
horace horatio
howard howie
hubert hugh bert
hugh hughie hugo
ian iain
ignatius iggy ignacio nacho ignaz
irene rene irena
isaac ike zac izaak
isabel bella izzy isabella isabelle ysabel isa
isla ayla
jacob jake jack jakob jakub jaap jacobo
jacqueline jackie jacqui
james jim jimmy jamie jaime santiago jacques diego
jane janie jana
janet jan
janice jan
jasmine jas jazz yasmin
jason jay jase
jean jeanie jeanne
jennifer jen jenny jenn jenna
jeremy jerry jez jeremias
jerome jerry hieronymus
jessica jess jessie
joan joanie joanna joanne jo johanna
jocelyn joss
john jack johnny jon johan johannes jan juan giovanni ivan jean hans jens johann sean ian joao
jonathan jon john nathan jonny jonathon
joseph joe joey jo josef jose giuseppe pepe josep
josephine jo josie josefine josefa josefina
joshua josh
joyce joy
judith judy jude jutta
julia julie jules juliana giulia
julian jules julien
kathleen kathy kath kate cathleen katie
kenneth ken kenny
kevin kev
kimberly kim kimberley
konrad conrad kurt konni
lambert bert
laura laurie lori laure lauren
lawrence larry laurie laurence lorenz lorenzo laurent lars
leo leon leonardo leonard lenny len leonhard
leslie les lesley
lewis lew lou louis luis ludwig luigi
lilian lily lil lillian
linda lin lindy belinda
lisa liza elise
logan logie
louise lou lulu louisa luisa luise
lucas luke luca lukas luc luka
lucy lucia lucie lucille lucinda luz
luke lucas luka
lydia lyd liddy
mabel mab amabel
madeleine maddie maddy madeline magdalena lena magda madelaine
malcolm mal
marcus mark marco marc markus marcos marek
margaret maggie meg peggy marge margie greta rita margarete gretel margot margarita margherita marguerite daisy madge
maria mary marie mia miriam mariam maria marija marya
marian marion mariann marianne
marilyn mary lynn
marjorie marge margie marjory
martha marty marta mattie
martin marty martino marten
mary molly polly may marie maria mae mamie mimi
mathilda tilly matilda mathilde mattie
matthew matt matty mateo matteo matthias matthieu mathew mats matias mateusz
maureen mo reen
maurice mo morris moritz mauricio maurizio
maximilian max massimo maxim maximo
maxwell max
megan meg meggie meghan
melanie mel
melissa mel lissa missy
michael mike mick mickey mikey michel miguel michele mikhail michal mikael micha misha
michelle shelly shell michele michaela
mildred millie
miles myles
mitchell mitch
mohammed mohammad muhammad mohamed mo muhammed mehmet mohamad
monica mona monika monique
morgan mo
nancy nan ann
natalie nat nattie natalia nathalie natasha
natasha tash tasha natalia
nathan nate nat
nathaniel nat nate nathan
nicholas nick nicky nico nicolas niklas nikolaus klaus nikolai nicola nils niels mikolaj
nicola nicky nikki nicole nicoletta
nigel nige
noah noe
norman norm
oliver ollie olly olivier oliviero
olivia liv livvy ollie
oscar oskar ozzie
oswald ozzie oz
pamela pam
patricia pat patty tricia trish patsy patrizia patrice
patrick pat paddy patrice patricio patrik padraig
paul paulie pablo paolo pavel pawel
paula paulina pauline polly
penelope penny
percival percy
peter pete pedro pietro pierre petr pieter piotr petter
philip phil pip phillip philipp felipe philippe filippo filip
philippa pippa pip
phoebe phebe
phyllis phyl
rachel rach raquel rachael
ralph rafe ralf raoul raul
ramona mona
randolph randy rand
raphael raf rafael rafe raffaele
raymond ray raimund ramon
rebecca becky becca beck rebekah
reginald reg reggie rex reinhold
rhiannon rhi
richard rick dick rich richie ricky ricardo riccardo
robert rob bob bobby robbie bert roberto rupert robin ruprecht
roberta bobbie robbie
roderick rod roddy rodrigo
rodney rod
roger rog ruediger rogelio
roland rolly rolando orlando
ronald ron ronnie reinhold
rosalind roz rosie
rose rosie rosa rosemary
rosemary rosie rose romy
roxanne roxy
rudolf rudi rudolph rudy rodolfo
rufus ruf
russell russ rusty
ruth ruthie
ryan rian
samantha sam sammy
samuel sam sammy samuele
sandra sandy sandie
sarah sally sadie sara zara
scott scotty
sebastian seb bastian baz sebastiano sebastien bas
shannon shan
sharon shaz
sheila shelagh
sidney sid sydney
silvia sylvia sylvie
simon si simeon simone
solomon sol salomon
sophia sophie sofia sofie zofia
stacey stace stacy
stanley stan
stella estelle estella
stephanie steph stefanie stephie stefania estefania
stephen steve stevie steven stefan esteban stefano etienne stephan szczepan
stewart stu stuart
susan sue susie suzy suzanne susanna susanne suzanna
sylvester sly silvester
tabitha tabby
tamara tammy tam
teresa terry tess tessa theresa terri resi therese tereza
terence terry terrence tel
theodore ted teddy theo theodor teodoro
thomas tom tommy tomas tommaso thom tomasz
timothy tim timmy timo timotheus
tobias toby tobi
tracey trace tracy
ulrich uli ulli
ursula uschi ulla
valentine val valentin valentino
valerie val valeria
vanessa nessa ness
veronica ronnie vera veronika veronique
victor vic viktor vittorio
victoria vicky vic tori viktoria vicki vittoria
vincent vince vinnie vincenzo vicente vinzenz
violet vi viola violetta
virginia ginny ginger
vivian viv vivien vivienne
walter walt wally gualtiero
wesley wes
wilfred wilf fred wilfried
wilhelmina mina wilma minnie billie
william will bill billy willy liam guillermo wilhelm willem guillaume guglielmo
winifred winnie freda win
wolfgang wolf
xavier javier xavi
yvonne evonne yvette
zachary zac zach zak zack
zoe zoey zooey
"""


def _read(text: str) -> dict[str, frozenset[str]]:
    forms: dict[str, set[str]] = defaultdict(set)
    for line in text.split("\n"):
        names = line.split()
        for name in names:
            forms[name].add(names[0])
    return {name: frozenset(usual) for name, usual in forms.items()}


USUAL: dict[str, frozenset[str]] = _read(_NAMES)
"""Usual forms of a name: ``USUAL["liz"]`` is ``{"elizabeth"}``, ``USUAL["alex"]`` has two."""

_HEADS = frozenset(line.split()[0] for line in _NAMES.split("\n") if line)


def usual(name: str) -> str:
    """The one form under which a name is blocked and compared; itself where the table does not decide.

    >>> usual("lizzie"), usual("alex"), usual("quentin")
    ('elizabeth', 'alex', 'quentin')
    """
    if name in _HEADS:
        return name
    forms = USUAL.get(name)
    return next(iter(forms)) if forms and len(forms) == 1 else name


def may_be_one(a: str, b: str) -> bool:
    """Whether two given names can be forms of the same one.

    >>> may_be_one("bob", "robert"), may_be_one("alex", "alexandra"), may_be_one("mary", "john")
    (True, True, False)
    """
    return a == b or not USUAL.get(a, frozenset()).isdisjoint(USUAL.get(b, frozenset()))
